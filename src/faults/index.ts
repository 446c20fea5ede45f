import type { AnyFault } from './contract.ts'
import { networkLoss } from './network-loss.ts'
import { networkPartition } from './network-partition.ts'
import { networkPortBlock } from './network-port-block.ts'
import { processKill } from './process-kill.ts'
import { processPause } from './process-pause.ts'

/** Everything that an experiment can break. */
export const faults: readonly AnyFault[] = [processKill, processPause, networkPartition, networkLoss, networkPortBlock]

export { endMarkedProcesses, markedProcesses, watchdogMark } from './mark.ts'
export type {
  AnyFault,
  BoundFault,
  Expiry,
  Fault,
  FaultContext,
  FaultPlan,
  RecalledFault,
  Sight,
  TraceContext,
} from './contract.ts'
