import fc from 'fast-check'
import { expect, test } from 'vitest'
import { incompleteBeta } from './incomplete-beta.ts'
import { passRate } from './pass-rate.ts'
import { percentileBound } from './percentile-bound.ts'

// Known values: two-sided 95 % intervals of Clopper and Pearson as published in tables of binomial confidence limits.
test.each([
  [8, 10, 0.4439, 0.9748],
  [5, 10, 0.1871, 0.8129],
  [1, 10, 0.0025, 0.445],
  [9, 10, 0.555, 0.9975],
  [81, 263, 0.2527, 0.3676],
])('%i of %i passed: the true rate lies between %d and %d', (passed, runs, lower, upper) => {
  const rate = passRate(passed, runs)
  expect(rate.lower).toBeCloseTo(lower, 4)
  expect(rate.upper).toBeCloseTo(upper, 4)
})

test.each([
  [10, 0.2589],
  [59, 0.0495],
  [100, 0.0295],
  [299, 0.00997],
])('with no failure in %i runs, the failure rate is below %d', (runs, bound) => {
  const { upper, lower } = passRate(runs, runs)
  expect(upper).toBe(1)
  expect(1 - lower).toBeCloseTo(bound, 4)
  // The rule of three is never below it.
  expect(1 - lower).toBeLessThanOrEqual(3 / runs)
})

test('without runs nothing is known', () => {
  expect(passRate(0, 0)).toEqual({ runs: 0, passed: 0, lower: 0, upper: 1, confidence: 0.95 })
  expect(() => passRate(2, 1)).toThrow(RangeError)
})

test('the interval holds what it promises: the tails outside are no likelier than the doubt', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(), (runs, seed) => {
      const passed = 1 + (seed % (runs - 1))
      const { lower, upper, rate = -1 } = passRate(passed, runs)
      expect(lower).toBeLessThan(rate)
      expect(upper).toBeGreaterThan(rate)
      expect(binomialAtLeast(passed, runs, lower)).toBeCloseTo(0.025, 6)
      expect(1 - binomialAtLeast(passed + 1, runs, upper)).toBeCloseTo(0.025, 6)
    }),
    { numRuns: 50 },
  )
})

test('a p95 at 95 % needs 59 runs, and then it is the slowest', () => {
  const durations = Array.from({ length: 59 }, (_, index) => 1000 + index)
  expect(percentileBound(durations.slice(1), 0.95)).not.toHaveProperty('atMostMs')
  expect(percentileBound(durations.slice(1), 0.95)).toMatchObject({ runs: 58, runsNeeded: 59 })
  expect(percentileBound(durations, 0.95)).toMatchObject({ runs: 59, runsNeeded: 59, atMostMs: 1058 })
  // 93 is where the second largest is enough (the table of one-sided tolerance limits).
  const more = Array.from({ length: 93 }, (_, index) => 1000 + index)
  expect(percentileBound(more.slice(1), 0.95).atMostMs).toBe(1092)
  expect(percentileBound(more, 0.95).atMostMs).toBe(1091)
})

test('the median of five is at most their largest, at 95 %', () => {
  // 1 − 0.5^5 = 0.96875
  expect(percentileBound([5, 1, 4, 2, 3], 0.5)).toEqual({
    runs: 5,
    percentile: 0.5,
    confidence: 0.95,
    runsNeeded: 5,
    observedMs: 3,
    atMostMs: 5,
  })
})

test('a run that did not come back counts as longer than any, and no bound is made of it', () => {
  const bound = percentileBound([1, 2, 3, 4, Number.POSITIVE_INFINITY], 0.5)
  expect(bound).not.toHaveProperty('atMostMs')
  expect(bound.observedMs).toBe(3)
  expect(percentileBound([], 0.95)).toEqual({ runs: 0, percentile: 0.95, confidence: 0.95, runsNeeded: 59 })
})

test('the incomplete beta function is the tail of the binomial distribution', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.double({ min: 0.001, max: 0.999, noNaN: true }), (n, seed, p) => {
      const k = 1 + (seed % n)
      expect(incompleteBeta(p, k, n - k + 1)).toBeCloseTo(binomialAtLeast(k, n, p), 9)
    }),
  )
})

/** P(Binomial(n, p) ≥ k), by its definition. */
function binomialAtLeast(k: number, n: number, p: number): number {
  let sum = 0
  for (let i = k; i <= n; i++) {
    let term = 1
    for (let j = 1; j <= i; j++) term *= (n - i + j) / j
    sum += term * p ** i * (1 - p) ** (n - i)
  }
  return sum
}
