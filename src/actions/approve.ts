import { z } from 'zod'
import { HoldfastError, parseDuration } from '../kernel/index.ts'
import { durationText } from '../catalog/index.ts'
import { defineAction } from './define-action.ts'

const params = z.strictObject({
  message: z.string().min(1).describe('What the approver is asked.').optional(),
  by: z.array(z.string().min(1)).min(1).describe('Who may approve. Without it: anyone but who started the run.').optional(),
  allowSelf: z.boolean().describe('Lets the one who started the run approve it: for teams of one.').default(false),
  expiresIn: durationText.describe('From when the step asks. Afterwards the step has failed.').default('1h'),
})

/** What `holdfast run approve` sends. */
export const approval = z.strictObject({
  decision: z.enum(['approved', 'denied']),
  by: z.string().min(1),
  /** Of the plan that the approver was shown: an approval is for that plan only. */
  planHash: z.string(),
  comment: z.string().optional(),
})

export type Approval = z.infer<typeof approval>

/** Asks a person. Denied, expired, or given by someone who may not: `approval-refused`. */
export const approve = defineAction<z.infer<typeof params>>({
  kind: 'approve',
  description:
    'Asks a person, and waits for `holdfast run approve`. An approval is for the plan that the run began with. Denied, expired, or given by someone who may not, the step has failed. Outputs: `by`, `comment`.',
  example: { message: 'does it hold what it should?', by: ['bob', 'carol'], expiresIn: '30m' },
  effect: 'read-only',
  params,

  async wait(asked, context, waits) {
    if (context.sandbox?.approvals === 'answered') return { by: 'the drill', comment: 'answered by the drill: nobody was asked' }
    const value = await waits.waitSignal('approve', parseDuration(asked.expiresIn))
    if (value === undefined) throw refused(context.step, `nobody approved it within ${asked.expiresIn}`)
    const parsed = approval.safeParse(value)
    if (!parsed.success) throw refused(context.step, 'what came is not an approval')
    const { decision, by, comment } = parsed.data
    if (decision === 'denied') throw refused(context.step, `${by} denied it${comment === undefined ? '' : `: ${comment}`}`)
    const problem = approvalProblem(asked, parsed.data, context)
    if (problem !== undefined) throw refused(context.step, problem)
    return { by, ...(comment === undefined ? {} : { comment }) }
  },

  reach: () => 'local',
  manual: ({ message, by }) => [`# ask ${by?.join(' or ') ?? 'a second person'}: ${message ?? 'may this go on?'}`],
})

/** Why an approval does not count for a step with these parameters; undefined when it does, or is a denial, which anyone may give. */
export function approvalProblem(
  rawParams: unknown,
  { decision, by: approver, planHash }: Approval,
  run: { readonly planHash: string; readonly requestedBy: string },
): string | undefined {
  const { by, allowSelf } = params.parse(rawParams)
  if (decision === 'denied') return undefined
  if (planHash !== run.planHash) return `${approver} approved another plan`
  if (by !== undefined && !by.includes(approver)) return `${approver} may not approve it, only ${by.join(', ')}`
  return approver === run.requestedBy && !allowSelf ? `${approver} started the run and cannot approve it` : undefined
}

function refused(step: string, why: string): HoldfastError {
  return new HoldfastError('approval-refused', {
    message: `step ${step} was not approved: ${why}`,
    hint: 'start the run again when it may be approved',
    details: { step },
  })
}
