import { createBlobOpener } from '../repository/index.ts'
import { serve } from '../threads/index.ts'
import type { RangeCalls, RangeWorkerData } from './restore/range-calls.ts'
import { RangeWriter } from './restore/range-writer.ts'

/** A thread of a restore: opens blobs, verifies them, and writes them to their files. */
await serve<RangeCalls, Record<string, never>, RangeWorkerData>(({ keys, target }) => {
  const writer = new RangeWriter(createBlobOpener(keys), Buffer.from(target, 'latin1'))
  return { write: (task) => writer.write(task) }
})
