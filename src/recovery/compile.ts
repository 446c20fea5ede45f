import type { Plan as CatalogPlan, Step, StepCheck } from '../catalog/index.ts'
import { HoldfastError, writeDuration } from '../kernel/index.ts'
import { topologicalOrder } from './order.ts'
import type { Plan, PlanStep } from './plan.ts'

/** The steps that a plan's `commit` and `fourEyes` stand for. */
export const commitStep = 'commit'
const fourEyesStep = 'four-eyes'
const fourEyesWithin = '1h'

/**
 * The plan that a run is bound to: what the catalog says, with what only people read left out, so that rewording changes no hash. Throws
 * `usage` for a plan that needs parameters.
 */
export function compilePlan(plan: CatalogPlan): Plan {
  const { name, recovers, environment, steps, groups, openParams } = plan
  if (openParams.length > 0) {
    throw new HoldfastError('usage', {
      message: `the plan ${name} cannot run by itself: its parameters ${openParams.join(', ')} have no default`,
      hint: 'give them a default in the catalog, or run a plan that uses it as a step',
    })
  }
  const compiled = withFourEyes(plan, withCommit(plan, steps.map(compileStep)))
  return {
    name,
    recovers: [...recovers],
    environment,
    ...(Object.keys(groups).length === 0 ? {} : { groups: { ...groups } }),
    steps: topologicalOrder(compiled),
  }
}

function compileStep(step: Step): PlanStep {
  return {
    id: step.id,
    action: step.do,
    after: [...step.after],
    timeoutMs: step.timeoutMs,
    retry: {
      attempts: step.retry.attempts,
      delayMs: step.retry.backoffMs,
      factor: step.retry.factor,
      maxDelayMs: step.retry.maxBackoffMs,
    },
    onFailure: step.onFailure,
    ...(step.when.length === 0 ? {} : { when: [...step.when] }),
    ...(step.group === undefined ? {} : { group: step.group }),
    ...deeds(step),
    ...(step.disaster === undefined ? {} : { disaster: compileDisaster(step.disaster) }),
  }
}

function compileDisaster(form: NonNullable<Step['disaster']>): NonNullable<PlanStep['disaster']> {
  return 'skip' in form ? form : { action: form.do, timeoutMs: form.timeoutMs, ...deeds(form) }
}

function deeds({ check, undo }: { readonly check?: StepCheck; readonly undo?: Step['do'] }) {
  return { ...(check === undefined ? {} : { check }), ...(undo === undefined ? {} : { undo }) }
}

/** The commit window as a step: after all that do not come after it. */
function withCommit({ commit, steps: declared }: CatalogPlan, steps: readonly PlanStep[]): readonly PlanStep[] {
  if (commit === undefined) return steps
  const later = new Set([commitStep])
  for (let size = 0; size < later.size;) {
    size = later.size
    for (const { id, after } of declared) if (after.some((before) => later.has(before))) later.add(id)
  }
  const before = steps.map(({ id }) => id).filter((id) => !later.has(id))
  const params = { within: writeDuration(commit.withinMs), else: commit.else }
  return [...steps, decisionStep(commitStep, 'commit', params, before)]
}

function withFourEyes({ name, fourEyes }: CatalogPlan, steps: readonly PlanStep[]): readonly PlanStep[] {
  if (!fourEyes) return steps
  const params = { message: `may ${name} begin?`, expiresIn: fourEyesWithin }
  const waiting = steps.map((step) => (step.after.length === 0 ? { ...step, after: [fourEyesStep] } : step))
  return [decisionStep(fourEyesStep, 'approve', params, []), ...waiting]
}

function decisionStep(id: string, kind: string, params: PlanStep['action']['params'], after: readonly string[]): PlanStep {
  return {
    id,
    action: { kind, params },
    after,
    timeoutMs: 60_000,
    retry: { attempts: 1, delayMs: 0, factor: 1, maxDelayMs: 0 },
    onFailure: 'undo',
  }
}
