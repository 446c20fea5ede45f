import { createBlobOpener } from '../repository/index.ts'
import { serve } from '../threads/index.ts'
import type { VerifyCalls, VerifyWorkerData } from './check/pack-verifiers.ts'
import { verifyPack } from './check/verify-pack.ts'

/** A thread of a check: every byte of every pack is compared here with what it should be. */
await serve<VerifyCalls, Record<string, never>, VerifyWorkerData>(({ keys }) => {
  const opener = createBlobOpener(keys)
  return { verify: (pack) => verifyPack(opener, pack) }
})
