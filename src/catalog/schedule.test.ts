import { describe, expect, test } from 'vitest'
import { tryParseSchedule } from './schedule.ts'

describe('a schedule is', () => {
  test.each([
    ['hourly', '0 * * * *'],
    ['daily', '0 0 * * *'],
    ['daily at 02:00', '0 2 * * *'],
    ['daily at 2:30', '30 2 * * *'],
    ['weekly', '0 0 * * 0'],
    ['weekly on sunday', '0 0 * * 0'],
    ['weekly on Wed at 23:59', '59 23 * * 3'],
    ['monthly', '0 0 1 * *'],
    ['monthly on 15 at 04:00', '0 4 15 * *'],
    ['monthly on the 1st at 04:00', '0 4 1 * *'],
    ['0 2 * * *', '0 2 * * *'],
    ['*/15 8-18 1,15 jan-MAR mon-fri', '*/15 8-18 1,15 1-3 1-5'],
    ['0 0 * * 7', '0 0 * * 0'],
    ['0 0 * * sat', '0 0 * * 6'],
  ])('%s, as cron: %s', (text, cron) => {
    expect(tryParseSchedule(text)).toEqual({ text, kind: 'cron', cron })
  })
  test('every 15m', () => {
    expect(tryParseSchedule('every 15m')).toEqual({ text: 'every 15m', kind: 'every', everyMs: 900_000 })
  })
})

test.each([
  '',
  'dayly',
  'daily at 24:00',
  'daily at 2',
  'daily at 02:60',
  'daily on monday',
  'weekly on 3',
  'weekly on someday',
  'monthly on 31',
  'monthly on monday',
  'hourly at 02:00',
  'every 15',
  'every 15 minutes',
  'every 100ms',
  '0 2 * *',
  '0 2 * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * * 13 *',
  '* * * * 8',
  '*/0 * * * *',
  '5-1 * * * *',
  '@daily',
])('%j is no schedule', (text) => {
  expect(tryParseSchedule(text)).toBeUndefined()
})
