import { HoldfastError } from '../kernel/index.ts'
import { findService } from './graph.ts'
import type { Catalog, Plan } from './types.ts'

/**
 * The plan that a service names as its recovery, or another one that recovers it too, such as its failback. Throws `unknown-service` and,
 * when there is no such plan, `usage`.
 */
export function planFor(catalog: Catalog, service: string, other?: string): Plan {
  const { recovery } = findService(catalog, service)
  if (other !== undefined) return otherPlan(catalog, service, other)
  const plan = recovery === undefined ? undefined : catalog.plans[recovery]
  if (plan !== undefined) return plan
  throw new HoldfastError('usage', {
    message: `service ${service} has no recovery plan`,
    hint: `name one with \`recovery:\` in ${catalog.file}, under services.${service}`,
  })
}

function otherPlan(catalog: Catalog, service: string, name: string): Plan {
  const plan = Object.hasOwn(catalog.plans, name) ? catalog.plans[name] : undefined
  if (plan?.recovers.includes(service) === true) return plan
  const fitting = Object.values(catalog.plans).filter(({ recovers }) => recovers.includes(service))
  throw new HoldfastError('usage', {
    message: plan === undefined ? `the catalog has no plan '${name}'` : `the plan ${name} does not recover ${service}`,
    hint: `plans that do: ${fitting.map((one) => one.name).join(', ') || 'none'}`,
  })
}
