import { expect, test } from 'vitest'
import { defaultStrategies } from '../../catalog/index.ts'
import { expectedYearlyLoss } from './expected-loss.ts'
import { promised, strategyCosts } from './pay-off.ts'

const happening = { outagesPerYear: 1, downtimeCostPerHour: 12_000, dataLossCostPerHour: 3000 }

test('what a strategy costs in all is having it and what is lost in spite of it', () => {
  for (const cost of strategyCosts(defaultStrategies, happening, { years: 1000 })) {
    expect(cost.totalPerYear).toBeCloseTo(
      cost.strategy.costPerMonth * 12 + expectedYearlyLoss(promised(cost.strategy, happening)),
      6,
    )
  }
})

test('at the cost of downtime from which a strategy pays, it costs as much in all as the one before it', () => {
  const costs = strategyCosts(defaultStrategies, happening, { years: 1000 })
  expect(costs[0]?.paysAbove).toBeUndefined()
  let compared = 0
  for (const [index, { strategy, paysAbove }] of costs.entries()) {
    const before = costs[index - 1]?.strategy
    if (!before || paysAbove === undefined || paysAbove === 0) continue
    const at = (one: typeof strategy) =>
      one.costPerMonth * 12 + expectedYearlyLoss(promised(one, { ...happening, downtimeCostPerHour: paysAbove }))
    expect(at(strategy)).toBeCloseTo(at(before), 2)
    compared++
  }
  expect(compared).toBeGreaterThan(2)
})

test('where nothing is expected to happen, nothing dearer ever pays', () => {
  const costs = strategyCosts(defaultStrategies, { ...happening, outagesPerYear: 0 }, { years: 1000 })
  expect(costs.map(({ paysAbove }) => paysAbove)).toEqual(costs.map(() => undefined))
})
