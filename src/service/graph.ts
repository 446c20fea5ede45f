import { dependencyOrder, dependentsOf, findService, withDependencies, type Catalog } from '../catalog/index.ts'
import { formatDuration } from '../kernel/index.ts'
import { dependencyPaths, type DependencyNode } from '../objectives/index.ts'

/** A member of the dependency graph, by what the catalog declares. */
export interface GraphMember {
  readonly name: string
  /** `external`: others run it. */
  readonly kind: 'service' | 'external'
  readonly dependsOn: readonly string[]
  readonly site?: string
  readonly tier?: number
  readonly rpoMs?: number
  /** Of something external: what is assumed. */
  readonly rtoMs?: number
  readonly plan?: string
  /** Its RTO after those of all that it depends on, if each takes as long as it may; of those whose time nobody knows, no less than that. */
  readonly pathMs?: number
  /** Those that it depends on, or itself, whose time nobody knows: with any, `pathMs` is only a lower bound. */
  readonly unknown: readonly string[]
  /** It lies on the longest such path. */
  readonly critical: boolean
  /** Something that it depends on may be down for longer than it may itself. */
  readonly waitsTooLong: boolean
}

export interface ServiceGraph {
  /** Each after all that it depends on: the order in which they come back. */
  readonly members: readonly GraphMember[]
  /** Groups that one of them belongs to. */
  readonly groups: readonly { readonly name: string; readonly members: readonly string[] }[]
  /** The longest path by declared RTOs; empty where nothing depends on anything. */
  readonly criticalPath: readonly string[]
  readonly criticalMs: number
  /** Members of chains whose time nobody knows: with any, another may be the longest, and `criticalMs` is only a lower bound. */
  readonly criticalUnknown: readonly string[]
}

/** The dependency graph of a catalog, or of one service with all that it needs and all that needs it. Throws `unknown-service`. */
export function serviceGraph(catalog: Catalog, around?: string): ServiceGraph {
  const names = around === undefined ? new Set(Object.keys(catalog.services)) : neighbours(catalog, around)
  const services = dependencyOrder(catalog).filter(({ name }) => names.has(name))
  const needed = new Set(services.flatMap(({ dependsOn }) => dependsOn))
  const external = Object.values(catalog.external).filter(({ name }) => needed.has(name))
  const paths = dependencyPaths(
    new Map<string, DependencyNode>([
      ...external.map(({ name, assumed }) => [name, { dependsOn: [], ownMs: assumed.rtoMs }] as const),
      ...services.map(({ name, dependsOn, objectives }) => [name, { dependsOn, ownMs: objectives.rtoMs }] as const),
    ]),
  )
  const chains = [...paths.values()].filter(({ path }) => path.length > 1)
  const longest = chains.toSorted((a, b) => b.atLeastMs - a.atLeastMs)[0]
  const onPath = new Set(longest?.path)
  const rtoOf = (name: string) => catalog.services[name]?.objectives.rtoMs ?? catalog.external[name]?.assumed.rtoMs ?? 0
  return {
    members: [
      ...external.map(({ name, site, assumed }): GraphMember => ({
        name,
        kind: 'external',
        dependsOn: [],
        ...(site === undefined ? {} : { site }),
        ...assumed,
        unknown: paths.get(name)?.unknown ?? [],
        critical: onPath.has(name),
        waitsTooLong: false,
      })),
      ...services.map(({ name, dependsOn, site, tier, objectives, recovery }): GraphMember => {
        const pathMs = paths.get(name)?.atLeastMs
        return {
          name,
          kind: 'service',
          dependsOn,
          site,
          ...(tier === undefined ? {} : { tier }),
          ...objectives,
          ...(recovery === undefined ? {} : { plan: recovery }),
          ...(pathMs === undefined ? {} : { pathMs }),
          unknown: paths.get(name)?.unknown ?? [],
          critical: onPath.has(name),
          waitsTooLong: dependsOn.some((other) => rtoOf(other) > objectives.rtoMs),
        }
      }),
    ],
    groups: Object.values(catalog.groups)
      .filter((group) => group.members.some((name) => names.has(name)))
      .map((group) => ({ name: group.name, members: group.members })),
    criticalPath: longest?.path ?? [],
    criticalMs: longest?.atLeastMs ?? 0,
    criticalUnknown: [...new Set(chains.flatMap(({ unknown }) => unknown))].toSorted(),
  }
}

/** `1 h 40 min`, or `at least 1 h 40 min` where nobody knows the time of some of those that it is made of. */
export function boundText(ms: number, unknown: readonly string[]): string {
  return `${unknown.length === 0 ? '' : 'at least '}${formatDuration(ms)}`
}

/** `3 h along a → b`, and whose time is not in it. */
export function criticalText(
  { criticalMs, criticalPath, criticalUnknown }: ServiceGraph,
  nameOf = (name: string) => name,
): string {
  const rest = criticalUnknown.length === 0 ? '' : `, and nobody knows the time of ${criticalUnknown.join(', ')}`
  return `the longest by declared RTOs: ${boundText(criticalMs, criticalUnknown)} along ${criticalPath.map(nameOf).join(' → ')}${rest}`
}

function neighbours(catalog: Catalog, name: string): Set<string> {
  findService(catalog, name)
  return new Set([...withDependencies(catalog, [name]), ...dependentsOf(catalog, name).map((service) => service.name)])
}
