import type { Json } from '../kernel/index.ts'
import type { Plan, PlanForm, PlanInput, PlanStep } from './plan.ts'

/**
 * The plan as a run of it is done: in its form, and with the steps that were told so restoring from another repository than they say.
 * The hash of a plan covers neither: what was approved or proven is the plan, whichever copy was still there.
 */
export function planAsRun({ plan, form, restoreFrom }: Pick<PlanInput, 'plan' | 'form' | 'restoreFrom'>): Plan {
  const formed = inForm(plan, form)
  if (restoreFrom === undefined) return formed
  const told = new Set(restoreFrom.steps)
  const restored = (step: PlanStep): PlanStep => ({
    ...step,
    action: { kind: step.action.kind, params: { ...membersOf(step.action.params), repository: restoreFrom.repository } },
  })
  return { ...formed, steps: formed.steps.map((step) => (told.has(step.id) ? restored(step) : step)) }
}

/**
 * The plan as it is done in a form: in a disaster, each step that has a form for it takes that. The hash of a plan covers all forms, so
 * that what was approved or proven is the plan, whichever of them was needed.
 */
export function inForm(plan: Plan, form: PlanForm): Plan {
  return form === 'normal' ? plan : { ...plan, steps: plan.steps.map(inDisaster) }
}

function inDisaster({ disaster, ...step }: PlanStep): PlanStep {
  if (disaster === undefined) return step
  if ('skip' in disaster) return { ...step, skip: disaster.skip }
  const { check: _check, undo: _undo, ...kept } = step
  return { ...kept, ...disaster }
}

export function membersOf(params: Json): Readonly<Record<string, Json>> {
  return params !== null && typeof params === 'object' && !Array.isArray(params) ? (params as Readonly<Record<string, Json>>) : {}
}
