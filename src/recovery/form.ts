import type { Plan, PlanForm, PlanStep } from './plan.ts'

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
