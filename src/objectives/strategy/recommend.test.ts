import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultStrategies, type Strategy } from '../../catalog/index.ts'
import { recommendStrategy } from './recommend.ts'

const minute = 60_000

function recommended(rpoMinutes: number, rtoMinutes: number): string | undefined {
  const wanted = { rpoMs: rpoMinutes * minute, rtoMs: rtoMinutes * minute }
  return recommendStrategy(defaultStrategies, wanted).recommended?.name
}

describe('the cheapest strategy that meets both objectives', () => {
  test('RPO 15 min with RTO 30 min is hot standby: the widely copied example says warm standby, whose RTO of 60 min is too long', () => {
    expect(recommended(15, 30)).toBe('hot-standby')
    const { rejected } = recommendStrategy(defaultStrategies, { rpoMs: 15 * minute, rtoMs: 30 * minute })
    expect(rejected.find(({ strategy }) => strategy.name === 'warm-standby')).toEqual({
      strategy: expect.objectContaining({ rtoMs: 60 * minute }),
      rtoExcessMs: 30 * minute,
    })
  })

  test.each([
    [0, 1, 'multi-region-active'],
    [5, 5, 'hot-standby'],
    [15, 60, 'warm-standby'],
    [60, 120, 'pilot-light'],
    [240, 480, 'cold-standby'],
    [1440, 1440, 'backup-and-restore'],
    [14, 60, 'hot-standby'],
    [1440, 1439, 'cold-standby'],
  ])('RPO %i min and RTO %i min take %s', (rpo, rto, name) => {
    expect(recommended(rpo, rto)).toBe(name)
  })

  test('when none is good enough the nearest is named, with what it misses', () => {
    const { recommended: none, nearest, eligible } = recommendStrategy(defaultStrategies, { rpoMs: 0, rtoMs: 30_000 })
    expect(none).toBeUndefined()
    expect(eligible).toEqual([])
    expect(nearest).toEqual({ strategy: expect.objectContaining({ name: 'multi-region-active' }), rtoExcessMs: 30_000 })
  })

  test('an objective that is not asked excludes nothing', () => {
    expect(recommendStrategy(defaultStrategies, { rpoMs: 15 * minute }).recommended?.name).toBe('warm-standby')
    expect(recommendStrategy(defaultStrategies, {}).recommended?.name).toBe('backup-and-restore')
  })

  test('no strategies: neither a recommendation nor a nearest', () => {
    expect(recommendStrategy([], { rpoMs: 1 })).toEqual({ wanted: { rpoMs: 1 }, eligible: [], rejected: [] })
  })
})

const strategy: fc.Arbitrary<Strategy> = fc.record({
  name: fc.string({ minLength: 1, maxLength: 3 }),
  title: fc.constant('a strategy'),
  rpoMs: fc.integer({ min: 0, max: 100 }),
  rtoMs: fc.integer({ min: 0, max: 100 }),
  costPerMonth: fc.integer({ min: 0, max: 20 }),
})
const wanted = fc.record({ rpoMs: fc.integer({ min: 0, max: 100 }), rtoMs: fc.integer({ min: 0, max: 100 }) })

test('what is recommended meets both, and nothing that meets both is cheaper', () => {
  fc.assert(
    fc.property(fc.array(strategy, { maxLength: 8 }), wanted, (strategies, asked) => {
      const { recommended: best, nearest, eligible, rejected } = recommendStrategy(strategies, asked)
      const good = strategies.filter(({ rpoMs, rtoMs }) => rpoMs <= asked.rpoMs && rtoMs <= asked.rtoMs)
      expect(eligible).toHaveLength(good.length)
      expect(eligible.length + rejected.length).toBe(strategies.length)
      const cheapest = Math.min(...good.map(({ costPerMonth }) => costPerMonth))
      expect(best?.costPerMonth ?? Infinity).toBe(cheapest)
      expect(good.includes(best as Strategy)).toBe(good.length > 0)
      expect(nearest === undefined).toBe(best !== undefined || strategies.length === 0)
    }),
  )
})

test('asking for less never costs more', () => {
  fc.assert(
    fc.property(fc.array(strategy, { maxLength: 8 }), wanted, fc.nat(50), fc.nat(50), (strategies, asked, rpo, rto) => {
      const strict = recommendStrategy(strategies, asked).recommended
      const loose = recommendStrategy(strategies, { rpoMs: asked.rpoMs + rpo, rtoMs: asked.rtoMs + rto }).recommended
      expect(loose?.costPerMonth ?? Infinity).toBeLessThanOrEqual(strict?.costPerMonth ?? Infinity)
    }),
  )
})
