import { Moved, serve } from '../threads/index.ts'
import type { ResealCalls, ResealWorkerData } from './copier/calls.ts'
import { reseal } from './copier/reseal.ts'
import { sealKeys } from './seal.ts'

/** A thread of a BlobCopier: every byte that is copied is decrypted, verified and encrypted again here. */
await serve<ResealCalls, Record<string, never>, ResealWorkerData>(({ from, to }) => {
  const [fromKeys, toKeys] = [sealKeys(from), sealKeys(to)]
  return {
    reseal(request) {
      const resealed = reseal(fromKeys, toKeys, request)
      return Promise.resolve(new Moved(resealed, [resealed.bytes.buffer]))
    },
  }
})
