import { approvalProblem, type Approval } from '../../actions/index.ts'
import type { RunView } from '../../durable/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import { planAsRun } from '../../recovery/index.ts'
import { inputOf } from './run-views.ts'

/** Throws `approval-refused` for an approval that the waiting step would refuse, before it costs the run. */
export function checkApproval(view: RunView, signalName: string, approval: Approval): void {
  const input = inputOf(view)
  const id = signalName.slice('approve:'.length).split('#')[0]
  const step = planAsRun(input).steps.find((candidate) => candidate.id === id)
  if (step === undefined) throw new HoldfastError('usage', { message: `run ${view.runId} has no step ${id}` })
  const problem = approvalProblem(step.action.params, approval, input)
  if (problem === undefined) return
  throw new HoldfastError('approval-refused', {
    message: problem,
    hint: 'someone else must approve it',
    details: { step: step.id },
  })
}
