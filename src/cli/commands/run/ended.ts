import type { RunView } from '../../../durable/index.ts'
import type { ExitCode } from '../../../kernel/index.ts'
import type { PlanOutcome } from '../../../recovery/index.ts'
import { inputOf } from '../../../service/index.ts'
import { drillExitCode, drillText } from '../drill/wording.ts'
import { outcomeExitCode, outcomeText } from './wording.ts'

/** How a run ended, and of a drill also what it achieved and found, whichever command saw it end. */
export function endedText(run: Pick<RunView, 'runId' | 'input'>, outcome: PlanOutcome): string {
  const { drill } = inputOf(run)
  return drill === undefined ? outcomeText(outcome) : drillText(run.runId, drill, outcome)
}

/** A drill that came to its end answers for the objectives too. */
export function endedExitCode(outcome: PlanOutcome): ExitCode {
  return outcome.drill === undefined ? outcomeExitCode(outcome) : drillExitCode(outcome)
}
