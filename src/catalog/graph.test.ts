import fc from 'fast-check'
import { expect, test } from 'vitest'
import { catalogText, checkText } from '../../test/support/marked-catalog.ts'
import { findCycles, topologicalOrder } from './graph.ts'
import { dependencyOrder, dependentsOf, findService, type Catalog } from './index.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const graphs = fc
  .array(fc.tuple(fc.constantFrom(...names), fc.array(fc.constantFrom(...names, 'unknown'), { maxLength: 3 })), { maxLength: 7 })
  .map((entries) => new Map(entries))

/** Whether a name can be reached from itself: by brute force, as a second opinion. */
function isCyclic(graph: ReadonlyMap<string, readonly string[]>): boolean {
  let reach = new Map([...graph].map(([name, before]) => [name, new Set(before)]))
  for (let round = 0; round < names.length; round++)
    reach = new Map(
      [...reach].map(([name, before]) => [
        name,
        new Set([...before, ...[...before].flatMap((next) => [...(reach.get(next) ?? [])])]),
      ]),
    )
  return [...reach].some(([name, before]) => before.has(name))
}

test('a graph has cycles exactly if some are found, and each is one', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const cycles = findCycles(graph)
      expect(cycles.length > 0).toBe(isCyclic(graph))
      for (const cycle of cycles) {
        expect(cycle.at(0)).toBe(cycle.at(-1))
        for (const [index, name] of cycle.slice(0, -1).entries()) expect(graph.get(name)).toContain(cycle[index + 1])
      }
    }),
  )
})

test('in a topological order everything comes once, after what it depends on', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      fc.pre(!isCyclic(graph))
      const order = topologicalOrder(graph)
      expect(order.toSorted()).toEqual([...graph.keys()].toSorted())
      const edges = [...graph].flatMap(([name, before]) =>
        before.filter((other) => graph.has(other)).map((other) => ({ name, other })),
      )
      for (const { name, other } of edges) expect(order.indexOf(other)).toBeLessThan(order.indexOf(name))
    }),
  )
})

test('a chain of a hundred thousand is walked', () => {
  const chain = new Map(Array.from({ length: 100_000 }, (_, index) => [String(index), [String(index + 1)]]))
  expect(findCycles(chain)).toEqual([])
  expect(topologicalOrder(chain)[0]).toBe('99999')
  chain.set('100000', ['0'])
  expect(findCycles(chain)[0]).toHaveLength(100_002)
})

async function catalogOf(services: Record<string, string[]>): Promise<Catalog> {
  const entries = Object.entries(services).map(
    ([name, dependsOn]) =>
      `${name}: { owner: me, site: here, objectives: { rpo: 1m, rto: 1m }, dependsOn: [${dependsOn.join(', ')}] }`,
  )
  const check = await checkText(catalogText({ services: entries.join('\n') }))
  if (!check.valid) throw new Error(JSON.stringify(check.problems))
  return check.catalog
}

test('services come back after what they depend on, and what needs a service is known', async () => {
  const catalog = await catalogOf({ web: ['api'], api: ['db', 'cache'], cache: [], mail: ['db'] })
  const order = dependencyOrder(catalog).map(({ name }) => name)
  expect(order).toEqual(['db', 'cache', 'api', 'mail', 'web'])
  expect(dependentsOf(catalog, 'db').map(({ name }) => name)).toEqual(['api', 'mail', 'web'])
  expect(dependentsOf(catalog, 'web')).toEqual([])
})

test('a service that is not there is unknown-service, even if every object has a member of that name', async () => {
  const catalog = await catalogOf({ web: [] })
  for (const name of ['nothing', 'constructor', '__proto__', 'toString'])
    expect(() => findService(catalog, name)).toThrow(
      expect.objectContaining({ code: 'unknown-service', hint: 'its services: db, web' }) as Error,
    )
})
