import type { RunView } from '../../../durable/index.ts'
import type { PlanOutcome } from '../../../recovery/index.ts'
import { inputOf } from '../../../service/index.ts'
import { planOutcome } from '../../../recovery/index.ts'

/** A run as `--json` shows it: `run list` has an array of them, `run show` one with its outcome and history. */
export interface RunSummary {
  readonly id: string
  readonly plan: string
  readonly planHash: string
  readonly codeVersion: string
  readonly recovers: readonly string[]
  readonly requestedBy: string
  readonly submittedAt: string
  readonly endedAt?: string
  readonly state: RunView['state']
  /** Present once it has ended by its plan. */
  readonly outcome?: PlanOutcome['status']
  /** What it waits for: `approve:STEP` and `decide:STEP:N` are for people. */
  readonly waitingFor: readonly string[]
  readonly error?: { readonly code: string; readonly message: string }
}

/** Of an outcome that may have thousands of steps. */
const outcomeStatus = planOutcome.pick({ status: true })

export function summarize(view: RunView): RunSummary {
  const { plan, requestedBy } = inputOf(view)
  const { result } = view
  return {
    id: view.runId,
    plan: plan.name,
    planHash: view.planHash,
    codeVersion: view.codeVersion,
    recovers: plan.recovers,
    requestedBy,
    submittedAt: view.submittedAt,
    ...(view.endedAt === undefined ? {} : { endedAt: view.endedAt }),
    state: view.state,
    ...(result?.state === 'completed' ? { outcome: outcomeStatus.parse(result.value).status } : {}),
    waitingFor: view.waitingFor.map(({ name }) => name),
    ...(result?.state === 'failed' ? { error: { code: result.error.code, message: result.error.message } } : {}),
  }
}
