import { expect, test } from 'vitest'
import { passingCheck, planOf } from '../../test/support/plans.ts'
import { forecastOf } from './forecast.ts'

const plan = planOf([
  passingCheck('fence', []),
  passingCheck('start', []),
  passingCheck('promote', ['fence']),
  passingCheck('dns', ['start', 'promote']),
])

function times(ms: Readonly<Record<string, number>>) {
  return new Map(Object.entries(ms).map(([id, one]) => [id, { medianMs: one, longestMs: one, runs: 1 }]))
}

test('a plan takes as long as its slowest chain of steps, each its usual time', () => {
  const forecast = forecastOf(plan, times({ fence: 1000, start: 9000, promote: 2000, dns: 500 }))
  expect(forecast).toMatchObject({ totalMs: 9500, basis: 'estimated', criticalPath: ['start', 'dns'], neverRun: [] })
  expect(forecast.steps.map(({ id, beginsMs, critical }) => [id, beginsMs, critical])).toEqual([
    ['fence', 0, false],
    ['start', 0, true],
    ['promote', 1000, false],
    ['dns', 9000, true],
  ])
})

test('with a step that has never run the total is a lower bound, and its basis unknown', () => {
  const forecast = forecastOf(plan, times({ fence: 1000, promote: 2000, dns: 500 }))
  expect(forecast).toMatchObject({
    totalMs: 3500,
    basis: 'unknown',
    criticalPath: ['fence', 'promote', 'dns'],
    neverRun: ['start'],
  })
})

test('where nothing has run, no chain is said to decide', () => {
  expect(forecastOf(plan, new Map())).toMatchObject({ totalMs: 0, basis: 'unknown', criticalPath: [] })
})

test('a step that this form of the plan leaves out takes no time and is not missed', () => {
  const [first, ...rest] = plan.steps
  const formed = { steps: [...(first === undefined ? [] : [{ ...first, skip: 'the site is gone' }]), ...rest] }
  const forecast = forecastOf(formed, times({ start: 1, promote: 2000, dns: 500 }))
  expect(forecast).toMatchObject({ totalMs: 2500, basis: 'estimated' })
})
