import type { AnyFault } from './contract.ts'
import { processPause } from './process-pause.ts'

/** Everything that an experiment can break. */
export const faults: readonly AnyFault[] = [processPause]

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
