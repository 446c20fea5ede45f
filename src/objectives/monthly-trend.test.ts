import { expect, test } from 'vitest'
import { monthlyTrend, type AchievedRun } from './monthly-trend.ts'

const run = (time: string, more: Partial<AchievedRun> = {}): AchievedRun => {
  return { time: new Date(time), outcome: 'completed', checks: 1, checksFailed: 0, rtaMs: 60_000, rpaMs: 1000, ...more }
}
const period = { from: new Date('2026-03-15T00:00:00Z'), to: new Date('2026-06-01T00:00:00Z') }

test('each month has the worst of what was proven in it, and one in which nothing was tried is there too', () => {
  const runs = [
    run('2026-03-31T23:59:59Z', { rtaMs: 1, rpaMs: 5 }),
    run('2026-03-20T00:00:00Z', { rtaMs: 3, rpaMs: 2 }),
    run('2026-05-01T00:00:00Z', { outcome: 'failed', rtaMs: 900 }),
    run('2026-05-02T00:00:00Z', { checks: 0, rtaMs: 800 }),
    run('2026-05-03T00:00:00Z', { checksFailed: 1, rtaMs: 700 }),
    run('2026-05-04T00:00:00Z', { outcome: 'aborted' }),
  ]
  expect(monthlyTrend(runs, period)).toEqual([
    { month: '2026-03', runs: 2, proven: 2, failed: 0, rtaMs: 3, rpaMs: 5 },
    { month: '2026-04', runs: 0, proven: 0, failed: 0 },
    { month: '2026-05', runs: 4, proven: 0, failed: 2 },
  ])
})

test('what is outside the period is not in it, at either end', () => {
  const runs = [run('2026-03-14T23:59:59.999Z'), run('2026-06-01T00:00:00Z')]
  expect(monthlyTrend(runs, period).map((month) => month.runs)).toEqual([0, 0, 0])
  expect(monthlyTrend([], { from: period.to, to: period.to })).toEqual([])
  const overNewYear = { from: new Date('2026-12-31T00:00:00Z'), to: new Date('2027-01-01T00:00:00.001Z') }
  expect(monthlyTrend([], overNewYear).map(({ month }) => month)).toEqual(['2026-12', '2027-01'])
})

test('what nobody measured is no zero', () => {
  const { rtaMs: _none, ...untimed } = run('2026-04-02T00:00:00Z', { rpaMs: 7 })
  expect(monthlyTrend([untimed], period)[1]).toEqual({ month: '2026-04', runs: 1, proven: 1, failed: 0, rpaMs: 7 })
})
