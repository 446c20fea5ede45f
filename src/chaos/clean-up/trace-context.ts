import { resolveSecret } from '../../catalog/index.ts'
import type { TraceContext } from '../../faults/index.ts'
import type { Clock } from '../../kernel/index.ts'
import { folderOf, type FaultRecord } from './record.ts'

/** What taking a fault back may use, from its record alone. */
export function traceContext(directory: string, { id, experiment }: FaultRecord, clock: Clock): TraceContext {
  return { id, experiment, clock, folder: folderOf(directory, id), resolveSecret }
}
