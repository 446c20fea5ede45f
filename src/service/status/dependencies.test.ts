import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withDependencies, type Catalog } from '../../catalog/index.ts'
import type { ServiceStatus } from '../../objectives/index.ts'
import { dependencyStatuses } from './dependencies.ts'

/** Services s0, s1, … of which each may depend on those before it, and on what others run. */
const catalogs = fc
  .array(fc.record({ before: fc.array(fc.nat(11)), external: fc.subarray(['pay', 'mail']), measured: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((made) => {
    const services = made.map(({ before, external }, index) => ({
      name: `s${index}`,
      dependsOn: [...new Set([...before.filter((other) => other < index).map((other) => `s${other}`), ...external])],
      objectives: { rpoMs: 1000, rtoMs: 1000 },
    }))
    const statuses = made.map(({ measured }, index) => [
      `s${index}`,
      { rto: { actualMs: 1, ...(measured ? { basis: 'measured' } : {}) } },
    ])
    return {
      catalog: {
        services: Object.fromEntries(services.map((service) => [service.name, service])),
        plans: {},
        external: Object.fromEntries(['pay', 'mail'].map((name) => [name, { name, assumed: { rtoMs: 1 } }])),
      } as unknown as Catalog,
      statuses: new Map(statuses as [string, ServiceStatus][]),
    }
  })

test('whether all is measured, and what is assumed, is that of everything that a service depends on, directly or not', () => {
  fc.assert(
    fc.property(catalogs, ({ catalog, statuses }) => {
      for (const [name, { because, assumed }] of dependencyStatuses(catalog, statuses)) {
        const needed = [...withDependencies(catalog, [name])]
        const named = new Set(needed.flatMap((each) => catalog.services[each]?.dependsOn ?? []))
        expect(assumed).toEqual(['pay', 'mail'].filter((each) => named.has(each)))
        const isAllMeasured = needed.every((each) => statuses.get(each)?.rto.basis === 'measured')
        expect(because === 'not-measured-of-all').toBe(!isAllMeasured || assumed.length > 0)
      }
    }),
    { numRuns: 200 },
  )
})
