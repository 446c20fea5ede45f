import { withDependencies, type Catalog, type Service } from '../../catalog/index.ts'
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
  const isMeasured = (name: string) => statuses.get(name)?.rto.basis === 'measured'
  return new Map(
    services.flatMap((service): [string, DependencyStatus][] => {
      const path = paths.get(service.name)
      const covered = new Set(coveredBy(catalog, service))
      if (path === undefined || service.dependsOn.every((name) => covered.has(name))) return []
      const needed = withDependencies(catalog, [service.name])
      const about = { allMeasured: [...needed].every(isMeasured), assumed: externalOf(catalog, needed) }
      return [[service.name, dependencyStatus(path, service.objectives.rtoMs, about)]]
    }),
  )
}

function coveredBy(catalog: Catalog, { recovery, name }: Service): string[] {
  const plan = recovery === undefined ? undefined : catalog.plans[recovery]
  return plan?.recovers.filter((other) => other !== name) ?? []
}

/** What others run, that one of these services depends on. */
function externalOf(catalog: Catalog, services: ReadonlySet<string>): string[] {
  const named = new Set([...services].flatMap((name) => catalog.services[name]?.dependsOn ?? []))
  return Object.keys(catalog.external).filter((name) => named.has(name))
}
