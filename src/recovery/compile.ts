import type { Plan as CatalogPlan } from '../catalog/index.ts'
import { topologicalOrder } from './order.ts'
import type { Plan } from './plan.ts'

/** The plan that a run is bound to: what the catalog says, with what only people read left out, so that rewording changes no hash. */
export function compilePlan({ name, recovers, environment, steps }: CatalogPlan): Plan {
  const compiled = steps.map((step) => ({
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
    ...(step.when === undefined ? {} : { when: step.when }),
    ...(step.check === undefined ? {} : { check: step.check }),
    ...(step.undo === undefined ? {} : { undo: step.undo }),
  }))
  return { name, recovers: [...recovers], environment, steps: topologicalOrder(compiled) }
}
