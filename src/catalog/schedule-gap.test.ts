import { expect, test } from 'vitest'
import { tryParseSchedule } from './schedule.ts'
import { closestRunsMs, longestGapMs } from './schedule-gap.ts'

const hour = 3_600_000
const day = 24 * hour

test.each([
  ['every 15m', 15 * 60_000],
  ['hourly', hour],
  ['daily at 02:00', day],
  ['weekly on sunday at 03:00', 7 * day],
  ['monthly on 1 at 04:00', 31 * day],
  ['*/15 * * * *', 15 * 60_000],
  ['0 8-18 * * *', 14 * hour],
  ['0 2 * * 1-5', 3 * day],
  ['0 0,12 * * *', 12 * hour],
  // The 1st, or any Monday.
  ['0 0 1 * 1', 7 * day],
  // A leap day.
  ['0 0 29 2 *', 1461 * day],
])('the longest gap of %s', (text, gapMs) => {
  const schedule = tryParseSchedule(text)
  expect(schedule && longestGapMs(schedule)).toBe(gapMs)
})

test('a day that does not exist never comes', () => {
  const schedule = tryParseSchedule('0 0 31 2 *')
  expect(schedule && longestGapMs(schedule)).toBeUndefined()
})

test.each([
  ['daily at 02:00', 'daily at 02:00', 0],
  ['daily at 02:00', 'daily at 14:30', 11.5 * hour],
  ['daily at 23:50', 'daily at 00:10', hour / 3],
  ['hourly', 'weekly on sunday at 03:20', hour / 3],
  ['weekly on sunday', 'monthly on 1', 0],
  // Nobody knows when the first of these begins.
  ['every 6h', 'daily at 02:00', 3 * hour],
  ['every 6h', 'every 1h', hour / 2],
])('the runs of %s and %s come as close as', (a, b, apartMs) => {
  const [first, second] = [tryParseSchedule(a), tryParseSchedule(b)]
  expect(first && second && [closestRunsMs(first, second), closestRunsMs(second, first)]).toEqual([apartMs, apartMs])
})
