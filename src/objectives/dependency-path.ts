import { topologicalOrder } from '../catalog/index.ts'

/** What is known of one member of the dependency graph. */
export interface DependencyNode {
  /** Members that must be up before it can be. Names that are not in the graph count as unknown. */
  readonly dependsOn: readonly string[]
  /** How long it takes by itself, once all that it depends on is up; undefined: nobody knows. */
  readonly ownMs?: number | undefined
  /** Of those that it depends on: brought back by the same run, so that its own time has theirs in it. */
  readonly covers?: readonly string[]
}

/** How long a service is down when all that it depends on is lost with it. */
export interface DependencyPath {
  /** Undefined as long as the time of one of them is not known. */
  readonly totalMs?: number
  /** Of what is known: it takes no less than this. */
  readonly atLeastMs: number
  /** The members that it comes from, the first to come back first; the service itself last. */
  readonly path: readonly string[]
  /** Members whose time is not known, in order of their names. */
  readonly unknown: readonly string[]
}

/**
 * The critical path of every member: its own time after that of the slowest of those that it depends on (they come back side by side). What the
 * same run brings back is not counted twice, but what that depends on in turn is. The graph must have no cycle.
 *
 * Takes time and memory in proportion to members and edges, but for `unknown`, and for members that cover others.
 */
export function dependencyPaths(graph: ReadonlyMap<string, DependencyNode>): Map<string, DependencyPath> {
  const paths = new Map<string, DependencyPath>()
  for (const name of topologicalOrder(new Map([...graph].map(([name, { dependsOn }]) => [name, dependsOn])))) {
    const node = graph.get(name)
    const before = node === undefined ? [] : [...outside(graph, node)].map((other) => paths.get(other) ?? missing(other))
    const slowest = before.toSorted((a, b) => b.atLeastMs - a.atLeastMs)[0]
    const own = node?.ownMs
    const unknown = new Set([...before.flatMap((path) => path.unknown), ...(own === undefined ? [name] : [])])
    const atLeastMs = (slowest?.atLeastMs ?? 0) + (own ?? 0)
    paths.set(name, {
      ...(unknown.size === 0 ? { totalMs: atLeastMs } : {}),
      atLeastMs,
      path: [...(slowest?.path ?? []), name],
      unknown: [...unknown].toSorted(),
    })
  }
  return paths
}

/** What must be up before this member, and is not brought back with it. */
function outside(graph: ReadonlyMap<string, DependencyNode>, { dependsOn, covers = [] }: DependencyNode): Set<string> {
  const covered = new Set(covers)
  const found = new Set<string>()
  const waiting = [...dependsOn]
  const visited = new Set<string>()
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (visited.has(name)) continue
    visited.add(name)
    if (covered.has(name)) waiting.push(...(graph.get(name)?.dependsOn ?? []))
    else found.add(name)
  }
  return found
}

function missing(name: string): DependencyPath {
  return { atLeastMs: 0, path: [name], unknown: [name] }
}
