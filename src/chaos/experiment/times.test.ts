import { expect, test } from 'vitest'
import { wrongTime, type Times } from './times.ts'

const working = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' } as const
const night = { days: ['sun'], from: '22:00', to: '04:00' } as const
const berlin = (times: Partial<Times>): Times => ({ timeZone: 'Europe/Berlin', windows: [], ...times })
const at = (text: string) => new Date(text)
const hour = 3_600_000

test('a peak forbids what begins in it or may still run then, by the wall clock of its zone', () => {
  const times = berlin({ peak: [working] })
  // Monday 2026-11-23: winter, one hour ahead of UTC.
  expect(wrongTime(times, at('2026-11-23T07:00:00Z'), 0)).toBe(
    'it is Mon 08:00 Europe/Berlin, in the peak mon, tue, wed, thu, fri 08:00–18:00',
  )
  expect(wrongTime(times, at('2026-11-23T06:59:59Z'), 0)).toBeUndefined()
  expect(wrongTime(times, at('2026-11-23T06:50:00Z'), hour)).toContain('it may still run at Mon 08:00')
  expect(wrongTime(times, at('2026-11-23T17:00:00Z'), 0)).toBeUndefined()
  expect(wrongTime(times, at('2026-11-21T10:00:00Z'), 24 * hour)).toBeUndefined()
  // The same time in summer is an hour later there.
  expect(wrongTime(times, at('2026-07-20T06:00:00Z'), 0)).toContain('Mon 08:00')
  expect(wrongTime({ ...times, timeZone: 'UTC' }, at('2026-11-23T07:00:00Z'), 0)).toBeUndefined()
})

test('a window must hold all of it, also over midnight and over a change of clocks', () => {
  const times = berlin({ windows: [[night]] })
  expect(wrongTime(times, at('2026-11-22T21:00:00Z'), hour)).toBeUndefined()
  expect(wrongTime(times, at('2026-11-23T02:59:00Z'), 0)).toBeUndefined()
  expect(wrongTime(times, at('2026-11-23T03:00:00Z'), 0)).toContain('it is Mon 04:00 Europe/Berlin, outside sun 22:00–04:00')
  expect(wrongTime(times, at('2026-11-23T02:30:00Z'), hour)).toContain('it may still run at Mon 04:00')
  expect(wrongTime(times, at('2026-11-21T23:00:00Z'), 0)).toContain('outside')
  // On 2026-03-29 the clocks go from 02:00 to 03:00 in the night to Sunday; the window begins that evening in summer time.
  expect(wrongTime(times, at('2026-03-29T20:00:00Z'), 0)).toBeUndefined()
  expect(wrongTime(times, at('2026-03-29T19:59:00Z'), 0)).toContain('outside')
})

test('every list of windows must agree, and without any nothing is forbidden', () => {
  const daily = { from: '00:00', to: '12:00' }
  const times = berlin({ windows: [[night, daily], [daily]] })
  expect(wrongTime(times, at('2026-11-22T22:30:00Z'), 0)).toContain('outside daily 00:00–12:00')
  expect(wrongTime(times, at('2026-11-23T08:00:00Z'), 0)).toBeUndefined()
  expect(wrongTime(berlin({}), at('2026-11-23T08:00:00Z'), 24 * hour)).toBeUndefined()
  // From and to the same: all day.
  expect(wrongTime(berlin({ peak: [{ days: ['mon'], from: '00:00', to: '00:00' }] }), at('2026-11-23T12:00:00Z'), 0)).toContain(
    'in the peak',
  )
})
