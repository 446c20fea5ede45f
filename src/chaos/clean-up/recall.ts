import type { AnyFault, RecalledFault } from '../../faults/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import type { FaultRecord } from './record.ts'

/** The fault of a record. Throws `journal-damaged` for a kind that this version does not know: an older or newer Holdfast injected it. */
export function recall(faults: readonly AnyFault[], { kind, traces, id }: FaultRecord): RecalledFault {
  const fault = faults.find((known) => known.kind === kind)
  if (fault !== undefined) return fault.recall(traces)
  throw new HoldfastError('journal-damaged', {
    message: `the record of fault ${id} is of a kind that this version does not know: ${kind}`,
    hint: 'sweep with the version that injected it',
  })
}
