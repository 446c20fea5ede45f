import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { formatTime, parseTime, zeroTime } from './time.ts'

const zone = process.env.TZ
afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

test.each([
  ['Europe/Berlin', 1_500_000_000_120_000_000n, '2017-07-14T04:40:00.12+02:00'],
  ['Europe/Berlin', 1_485_000_000_000_000_001n, '2017-01-21T13:00:00.000000001+01:00'],
  ['UTC', 0n, '1970-01-01T00:00:00Z'],
  ['UTC', -1n, '1969-12-31T23:59:59.999999999Z'],
  ['Asia/Kathmandu', 1_500_000_000_000_000_000n, '2017-07-14T08:25:00+05:45'],
  ['America/St_Johns', 1_500_000_000_000_000_000n, '2017-07-14T00:10:00-02:30'],
  ['UTC', 253_402_300_800_000_000_000n, '9999-01-01T00:00:00Z'],
  ['Europe/Berlin', zeroTime, '0001-01-01T00:00:00Z'],
])('in %s, %s is written %s', (tz, ns, text) => {
  process.env.TZ = tz
  expect(formatTime(ns)).toBe(text)
})

test.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'])(
  'an instant comes back from its text, in %s',
  (tz) => {
    process.env.TZ = tz
    // From 1973 on, so that no zone is off by seconds.
    fc.assert(
      fc.property(fc.bigInt({ min: 10n ** 17n, max: 2n * 10n ** 20n }), (ns) => {
        expect(parseTime(formatTime(ns))).toBe(ns)
      }),
      { numRuns: 300 },
    )
  },
)

test.each(['', '2020-01-01', '2020-01-01T00:00:00', '2020-13-01T00:00:00Z', '2020-01-01 00:00:00Z'])('%j is no time', (text) => {
  expect(parseTime(text)).toBeUndefined()
})
