import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dependencyPaths, type DependencyNode } from './dependency-path.ts'

function graph(nodes: Record<string, DependencyNode>) {
  return dependencyPaths(new Map(Object.entries(nodes)))
}

describe('the critical path of a service', () => {
  test('is its own time after that of the slowest of its dependencies', () => {
    const paths = graph({
      web: { dependsOn: ['api', 'cdn'], ownMs: 1 },
      api: { dependsOn: ['db', 'cache'], ownMs: 10 },
      db: { dependsOn: [], ownMs: 100 },
      cache: { dependsOn: [], ownMs: 5 },
      cdn: { dependsOn: [], ownMs: 50 },
    })
    expect(paths.get('web')).toEqual({ totalMs: 111, atLeastMs: 111, path: ['db', 'api', 'web'], unknown: [] })
    expect(paths.get('db')).toEqual({ totalMs: 100, atLeastMs: 100, path: ['db'], unknown: [] })
  })

  test('has no total as long as one time is not known, not even beside the path', () => {
    const paths = graph({
      web: { dependsOn: ['db', 'cache'], ownMs: 1 },
      db: { dependsOn: [], ownMs: 100 },
      cache: { dependsOn: ['gone'] },
    })
    expect(paths.get('web')).toEqual({ atLeastMs: 101, path: ['db', 'web'], unknown: ['cache', 'gone'] })
  })

  test('does not count twice what one run brings back together, but counts what that needs', () => {
    const paths = graph({
      api: { dependsOn: ['db'], ownMs: 100, covers: ['db'] },
      db: { dependsOn: ['vault'], ownMs: 80 },
      vault: { dependsOn: [], ownMs: 7 },
    })
    expect(paths.get('api')).toMatchObject({ totalMs: 107, path: ['vault', 'api'] })
  })
})

/** Members only depend on those before them: no cycles. */
const acyclic = fc
  .array(
    fc.record({
      ownMs: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
      edges: fc.array(fc.nat(), { maxLength: 4 }),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((nodes) =>
    nodes.map(({ ownMs, edges }, index) => ({
      name: `s${index}`,
      ownMs,
      dependsOn: index === 0 ? [] : [...new Set(edges.map((edge) => `s${edge % index}`))],
    })),
  )

/** All ways through the graph, one by one: what the walk must agree with. */
function slowest(nodes: readonly { name: string; ownMs: number | undefined; dependsOn: string[] }[], name: string): number {
  const node = nodes.find((one) => one.name === name)
  return (node?.ownMs ?? 0) + Math.max(0, ...(node?.dependsOn ?? []).map((other) => slowest(nodes, other)))
}

test('it agrees with trying every way, in whatever order members are listed', () => {
  fc.assert(
    fc.property(acyclic, fc.boolean(), (nodes, reversed) => {
      const listed = reversed ? nodes.toReversed() : nodes
      const paths = dependencyPaths(new Map(listed.map((node) => [node.name, node])))
      for (const { name } of nodes) {
        const found = paths.get(name)
        expect(found?.atLeastMs).toBe(slowest(nodes, name))
        const along = found?.path.map((member) => nodes.find((one) => one.name === member)?.ownMs ?? 0)
        expect(along?.reduce((sum, ms) => sum + ms, 0)).toBe(found?.atLeastMs)
        expect(found?.totalMs).toBe(found?.unknown.length === 0 ? found.atLeastMs : undefined)
      }
    }),
  )
})

test('forgetting a time never gives a total that was not there, nor a shorter one', () => {
  fc.assert(
    fc.property(acyclic, fc.nat(), (nodes, at) => {
      const less = nodes.map((node, index) => (index === at % nodes.length ? { ...node, ownMs: undefined } : node))
      const [before, after] = [nodes, less].map((list) => dependencyPaths(new Map(list.map((node) => [node.name, node]))))
      for (const { name } of nodes) {
        const total = after?.get(name)?.totalMs
        expect([undefined, before?.get(name)?.totalMs]).toContain(total)
      }
    }),
  )
})

test('1,000 members with 5,000 edges are walked', () => {
  const wide = new Map(
    Array.from({ length: 1000 }, (_, index) => [
      `s${index}`,
      { dependsOn: index < 5 ? [] : [1, 2, 3, 4, 5].map((back) => `s${index - back}`), ownMs: 1 },
    ]),
  )
  // The first five need nobody: they come back side by side.
  expect(dependencyPaths(wide).get('s999')).toMatchObject({ totalMs: 996, unknown: [] })
})
