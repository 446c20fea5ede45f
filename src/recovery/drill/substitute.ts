import type { Drill, Substitution } from '../../catalog/index.ts'
import { membersOf } from '../form.ts'
import type { Plan, PlanStep } from '../plan.ts'
import type { DrillChange } from './input.ts'

/** A plan with the substitutions that its drill declares, and what they change. */
export function substituteSteps(
  plan: Plan,
  { substitute }: Pick<Drill, 'substitute'>,
): { readonly plan: Plan; readonly changes: readonly DrillChange[] } {
  const changes: DrillChange[] = []
  const steps = plan.steps.map((step) => {
    const entry = Object.hasOwn(substitute, step.id) ? substitute[step.id] : undefined
    return entry === undefined ? step : substituted(step, entry, changes)
  })
  return { plan: { ...plan, steps }, changes }
}

function substituted(step: PlanStep, { with: given, do: action, skip, check }: Substitution, changes: DrillChange[]): PlanStep {
  if (skip !== undefined) {
    changes.push({ step: step.id, how: 'skipped', because: skip })
    return { ...step, skip }
  }
  const checked = check === undefined ? {} : { check }
  if (action !== undefined) {
    const { check: _check, undo: _undo, ...bare } = step
    changes.push({ step: step.id, how: 'replaced', because: `${action.kind} instead of ${step.action.kind}` })
    return { ...bare, action, ...checked }
  }
  if (check !== undefined) changes.push({ step: step.id, how: 'rechecked', because: `checked with ${check.kind}` })
  if (given === undefined) return { ...step, ...checked }
  changes.push({ step: step.id, how: 'changed', because: `another ${Object.keys(given).join(', ')}` })
  return { ...step, action: { kind: step.action.kind, params: { ...membersOf(step.action.params), ...given } }, ...checked }
}
