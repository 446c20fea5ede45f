import { planFor, type Catalog, type DeciderClaims, type Detection, type DetectionWatch, type Plan } from '../../catalog/index.ts'
import { HoldfastError } from '../../kernel/index.ts'

export interface WatchedService {
  readonly service: string
  readonly plan: Plan
  readonly watch: DetectionWatch
  readonly decide: 'ask' | 'auto'
  readonly notify: Detection['notify']
  readonly claims?: DeciderClaims
}

/** What watches over a service. Throws `unknown-service`, and `usage` when nothing does. */
export function watchedService(catalog: Catalog, name: string): WatchedService {
  const plan = planFor(catalog, name)
  const { watch, decide = 'ask', notify = [], claims } = plan.detection ?? {}
  if (watch !== undefined) return { service: name, plan, watch, decide, notify, ...(claims === undefined ? {} : { claims }) }
  throw new HoldfastError('usage', {
    message: `nobody watches over the plan ${plan.name}: it has no observers`,
    hint: `give plans.${plan.name}.detection its observers, quorum and for, in ${catalog.file}`,
  })
}

/** Reports take their time, however often they are sent. */
const leastMs = 3000

/** A report that is older says nothing about now: three looks missed, and the time that a look may take. */
export function staleAfterMs({ everyMs, probes }: DetectionWatch): number {
  return Math.max(3 * everyMs, leastMs) + Math.max(...probes.map(({ timeoutMs }) => timeoutMs))
}
