import { availableParallelism } from 'node:os'
import { createBlobOpener, type Repository, type ThreadKeys } from '../../repository/index.ts'
import { createPool, movable, workerEntry } from '../../threads/index.ts'
import { verifyPack, type PackToVerify, type PackVerdict } from './verify-pack.ts'

export type VerifyCalls = { verify: { input: PackToVerify; output: PackVerdict } }

export interface VerifyWorkerData {
  readonly keys: ThreadKeys
}

/** Whoever verifies packs: this thread or others. */
export interface PackVerifiers extends AsyncDisposable {
  /** Packs that may be under way at once. */
  readonly atOnce: number
  /** May take the bytes away. */
  verify(pack: PackToVerify): Promise<PackVerdict>
}

/** Fewer packs are read sooner than threads are started. */
const fewPacks = 4

export function createPackVerifiers({ threadKeys }: Repository, packs: number): PackVerifiers {
  if (packs < fewPacks) {
    const opener = createBlobOpener(threadKeys)
    // As a promise: what fails is thrown to whoever waits for it.
    return { atOnce: 2, verify: async (pack) => verifyPack(opener, pack), async [Symbol.asyncDispose]() {} }
  }
  const threads = Math.min(8, Math.max(2, availableParallelism()))
  const workerData: VerifyWorkerData = { keys: threadKeys }
  const pool = createPool<Record<string, never>, VerifyCalls>({
    entry: workerEntry('../verify-worker', import.meta.url),
    size: threads,
    workerData,
    handlers: () => ({}),
  })
  return {
    // One to work on and one to go on with.
    atOnce: 2 * threads,
    verify(task) {
      const { bytes, transfer } = movable(task.bytes)
      return pool.idlest().call('verify', { ...task, bytes }, transfer)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(pool[Symbol.asyncDispose]()),
  }
}
