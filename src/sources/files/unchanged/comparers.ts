import { availableParallelism } from 'node:os'
import { createPool, workerEntry } from '../../../threads/index.ts'
import type { CompareCalls, Compared, CompareTask, CompareWorkerData } from './calls.ts'
import { createTaskComparer } from './compare-task.ts'

/** Whoever compares: this thread or others. */
export interface Comparers extends AsyncDisposable {
  /** Tasks that are worth having under way at a time. */
  readonly lanes: number
  /** Takes the bytes of the task away. */
  compare(task: CompareTask): Promise<readonly Compared[]>
}

/** Fewer are compared sooner than threads are started. */
const fewFiles = 20_000

/** `files` as far as it is known. */
export async function createComparers(data: CompareWorkerData, files: number): Promise<Comparers> {
  if (files < fewFiles) {
    const compare = await createTaskComparer(data)
    // As a promise: what fails is thrown to whoever waits for it.
    return { lanes: 1, compare: async (task) => compare(task), [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const pool = createPool<Record<string, never>, CompareCalls>({
    entry: workerEntry('../../compare-worker', import.meta.url),
    size: Math.min(8, Math.max(2, availableParallelism())),
    workerData: data,
    handlers: () => ({}),
  })
  return {
    lanes: pool.workers.length * 2,
    compare: (task) => pool.idlest().call('compare', task, [task.bytes.buffer]),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}
