import { serve } from '../threads/index.ts'
import type { CompareCalls, CompareWorkerData } from './files/unchanged/calls.ts'
import { createTaskComparer } from './files/unchanged/compare-task.ts'

/** A thread that looks for directories that are as the parent snapshot has them. */
await serve<CompareCalls, Record<string, never>, CompareWorkerData>(async (data) => {
  const compare = await createTaskComparer(data)
  return { compare: (task) => compare(task) }
})
