import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../kernel/index.ts'
import { expectedYearlyLoss, yearlyLoss, type LossModel } from './expected-loss.ts'
import { poisson } from './random.ts'

const hour = 3_600_000

const measured: LossModel = {
  outagesPerYear: 2,
  downtimeCostPerHour: 1000,
  downtime: { basis: 'measured', samplesMs: [hour, hour, 2 * hour, 2 * hour, 4 * hour] },
}

describe('the expected yearly loss', () => {
  test('is rate × mean duration × cost', () => {
    expect(expectedYearlyLoss(measured)).toBe(2 * 2 * 1000)
  })

  test('counts lost data where it has a price', () => {
    const dataLoss = { basis: 'measured' as const, samplesMs: [hour, hour, hour, hour, hour] }
    expect(expectedYearlyLoss({ ...measured, dataLoss, dataLossCostPerHour: 500 })).toBe(2 * (2000 + 500))
    expect(expectedYearlyLoss({ ...measured, dataLoss })).toBe(4000)
  })

  test('a figure is a median that outages are spread about, so their mean lies above it', () => {
    const loss = expectedYearlyLoss({ ...measured, downtime: { basis: 'figure', samplesMs: [hour] } })
    expect(loss).toBeCloseTo(2 * 1000 * Math.exp(0.125), 6)
  })
})

describe('simulated years', () => {
  test('come near what is expected, for measured durations and for a figure', () => {
    for (const downtime of [measured.downtime, { basis: 'figure' as const, samplesMs: [hour] }]) {
      const { mean, expected } = yearlyLoss({ ...measured, downtime }, { years: 50_000, seed: 7 })
      expect(Math.abs(mean - expected) / expected).toBeLessThan(0.03)
    }
  })

  test('the same seed gives the same figures, another one others', () => {
    expect(yearlyLoss(measured, { seed: 3 })).toEqual(yearlyLoss(measured, { seed: 3 }))
    expect(yearlyLoss(measured, { seed: 3 }).mean).not.toBe(yearlyLoss(measured, { seed: 4 }).mean)
  })

  test('percentiles rise, and lie on what years can cost', () => {
    const { percentiles } = yearlyLoss({ ...measured, outagesPerYear: 0.1 }, { years: 10_000 })
    const { p50, p90, p95, p99 } = percentiles
    expect([p50, p90, p95, p99].toSorted((a, b) => a - b)).toEqual([p50, p90, p95, p99])
    expect(p50).toBe(0)
    expect([1000, 2000, 4000]).toContain(p95)
  })

  test('as many years have an outage as a Poisson process says', () => {
    const { yearsWithOutage } = yearlyLoss({ ...measured, outagesPerYear: 0.5 }, { years: 50_000 })
    expect(Math.abs(yearsWithOutage - (1 - Math.exp(-0.5)))).toBeLessThan(0.01)
  })

  test('nothing happens, nothing is lost', () => {
    expect(yearlyLoss({ ...measured, outagesPerYear: 0 })).toMatchObject({ expected: 0, mean: 0, yearsWithOutage: 0 })
  })
})

test('counts of a Poisson process have its mean and variance, also for a rate that underflows exp', () => {
  const random = seededRandom(1)
  for (const rate of [0.3, 4, 900]) {
    const counts = Array.from({ length: 4000 }, () => poisson(rate, random))
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length
    expect(Math.abs(mean - rate)).toBeLessThan(4 * Math.sqrt(rate / counts.length))
    expect(variance / rate).toBeGreaterThan(0.85)
    expect(variance / rate).toBeLessThan(1.15)
  }
})
