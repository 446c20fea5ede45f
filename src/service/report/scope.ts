import { isCovered, plansIn, servicesIn, type Catalog, type Maintenance, type ServiceEnvironment } from '../../catalog/index.ts'
import type { Period } from './facts.ts'

/** What a report is of: everything, or one environment. */
export interface ReportScope {
  readonly services: readonly string[]
  readonly plans: readonly string[]
  /** Whether something about these services belongs into it: unless all of them are known to be in another environment. Of what nobody knows, it does. */
  readonly concerns: (services: readonly (string | undefined)[]) => boolean
  /** Of a run without a service, as the first version recorded them, by those that its plan recovers. */
  readonly concernsRun: (run: { readonly service?: string; readonly body: { readonly plan: string } }) => boolean
  readonly accepted: Catalog['accepted']
  /** Windows that are for one of its services, or all; of single ones those that touch the period. */
  readonly maintenance: Maintenance
}

/** Throws `usage` for an environment without services. */
export function scopeOf(catalog: Catalog, period: Period, environment: ServiceEnvironment | undefined): ReportScope {
  const services = servicesIn(catalog, environment)
  const asked = new Set(services)
  const isElsewhere = (name: string | undefined) => name !== undefined && catalog.services[name] !== undefined && !asked.has(name)
  const concerns: ReportScope['concerns'] = (names) => names.length === 0 || !names.every(isElsewhere)
  const { timeZone, windows } = catalog.maintenance
  return {
    services,
    plans: plansIn(catalog, environment).map(({ name }) => name),
    concerns,
    concernsRun: ({ service, body }) => concerns(service === undefined ? (catalog.plans[body.plan]?.recovers ?? []) : [service]),
    accepted: catalog.accepted.filter(({ of }) => of === undefined || concerns(servicesNamed(catalog, of))),
    maintenance: {
      timeZone,
      windows: windows.filter(
        (window) =>
          (environment === undefined || services.some((name) => isFor(catalog, window, name))) &&
          (window.when.kind === 'weekly' || (window.when.from < period.to && window.when.to > period.from)),
      ),
    },
  }
}

function isFor({ services }: Catalog, window: Maintenance['windows'][number], name: string): boolean {
  const service = services[name]
  return service !== undefined && isCovered(window, service)
}

/** The service, or those that the plan of this name recovers; of a repository none. */
function servicesNamed({ services, plans }: Catalog, name: string): string[] {
  return [...(services[name] === undefined ? [] : [name]), ...(plans[name]?.recovers ?? [])]
}
