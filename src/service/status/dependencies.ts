import { topologicalOrder, type Catalog, type Service } from '../../catalog/index.ts'
import {
  dependencyPaths,
  dependencyStatus,
  type DependencyNode,
  type DependencyStatus,
  type ServiceStatus,
} from '../../objectives/index.ts'

/**
 * How long each service would be down with all that it depends on, against its RTO. Only of services that depend on something which their own plan
 * does not bring back: of the others it is their own time.
 */
export function dependencyStatuses(
  catalog: Catalog,
  statuses: ReadonlyMap<string, ServiceStatus>,
): Map<string, DependencyStatus> {
  const services = [...statuses.keys()].flatMap((name) => catalog.services[name] ?? [])
  const graph = new Map<string, DependencyNode>(
    services.map((service) => [
      service.name,
      { dependsOn: service.dependsOn, ownMs: statuses.get(service.name)?.rto.actualMs, covers: coveredBy(catalog, service) },
    ]),
  )
  for (const { name, assumed } of Object.values(catalog.external)) graph.set(name, { dependsOn: [], ownMs: assumed.rtoMs })
  const paths = dependencyPaths(graph)
  const needed = needs(catalog, services, statuses)
  return new Map(
    services.flatMap((service): [string, DependencyStatus][] => {
      const path = paths.get(service.name)
      const covered = new Set(coveredBy(catalog, service))
      if (path === undefined || service.dependsOn.every((name) => covered.has(name))) return []
      const { allMeasured = false, external = new Set() } = needed.get(service.name) ?? {}
      const assumed = Object.keys(catalog.external).filter((name) => external.has(name))
      return [[service.name, dependencyStatus(path, service.objectives.rtoMs, { allMeasured, assumed })]]
    }),
  )
}

function coveredBy(catalog: Catalog, { recovery, name }: Service): string[] {
  const plan = recovery === undefined ? undefined : catalog.plans[recovery]
  return plan?.recovers.filter((other) => other !== name) ?? []
}

interface Needs {
  /** The times of the service and of all services that it depends on, directly or not. */
  readonly allMeasured: boolean
  /** What others run, that one of them depends on. */
  readonly external: ReadonlySet<string>
}

/** Each after those that it depends on: to go through all that each needs would take the square of their number. */
function needs(
  catalog: Catalog,
  services: readonly Service[],
  statuses: ReadonlyMap<string, ServiceStatus>,
): ReadonlyMap<string, Needs> {
  const found = new Map<string, Needs>()
  for (const name of topologicalOrder(new Map(services.map((service) => [service.name, service.dependsOn])))) {
    const dependsOn = catalog.services[name]?.dependsOn ?? []
    const below = dependsOn.flatMap((other) => found.get(other) ?? [])
    found.set(name, {
      allMeasured: statuses.get(name)?.rto.basis === 'measured' && below.every(({ allMeasured }) => allMeasured),
      external: new Set([
        ...dependsOn.filter((other) => Object.hasOwn(catalog.external, other)),
        ...below.flatMap(({ external }) => [...external]),
      ]),
    })
  }
  return found
}
