import { availableParallelism } from 'node:os'
import { createBlobOpener, type Repository } from '../../repository/index.ts'
import { createPool, movable, workerEntry } from '../../threads/index.ts'
import type { RangeCalls, RangeOutcome, RangeTask, RangeWorkerData } from './range-calls.ts'
import { RangeWriter } from './range-writer.ts'

/** Whoever writes ranges: this thread or others. */
export interface RangeWriters extends AsyncDisposable {
  /** Threads that write beside each other, each one range at a time. */
  readonly lanes: number
  /** May take the bytes of the task away. `lane` is below `lanes`. */
  write(task: RangeTask, lane: number): Promise<RangeOutcome>
}

/** Less than this is written sooner than threads are started. */
const fewFiles = 500
const fewBytes = 32 * 1024 * 1024

/** Threads that are worth it for so much; 0 for this one. At most 8: a target takes no more. */
export function threadsFor(files: number, sizeBytes: number): number {
  return files < fewFiles && sizeBytes < fewBytes ? 0 : Math.min(8, Math.max(2, availableParallelism()))
}

export function createRangeWriters({ threadKeys }: Repository, target: Buffer, threads: number): RangeWriters {
  if (threads === 0) {
    const writer = new RangeWriter(createBlobOpener(threadKeys), target)
    return {
      lanes: 1,
      // One after the other, and as a promise: what fails is thrown to whoever waits for it.
      write: async (task) => writer.write(task),
      [Symbol.asyncDispose]: () => Promise.resolve(writer[Symbol.dispose]()),
    }
  }
  const workerData: RangeWorkerData = { keys: threadKeys, target: target.toString('latin1') }
  const pool = createPool<Record<string, never>, RangeCalls>({
    entry: workerEntry('../restore-worker', import.meta.url),
    size: threads,
    workerData,
    handlers: () => ({}),
  })
  return {
    lanes: threads,
    write(task, lane) {
      const worker = pool.workers[lane] ?? pool.idlest()
      const { bytes, transfer } = movable(task.bytes)
      return worker.call('write', { ...task, bytes }, transfer)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(pool[Symbol.asyncDispose]()),
  }
}
