import { expect, test } from 'vitest'
import { parseTimeArgument } from './parse-time.ts'

const ms = (text: string) => Number(parseTimeArgument(text) / 1_000_000n)

test.each([
  ['2026-11-27 14:30:05 +0100', Date.UTC(2026, 10, 27, 13, 30, 5)],
  ['2026-11-27T14:30:05Z', Date.UTC(2026, 10, 27, 14, 30, 5)],
  ['2026-11-27 14:30 -02:30', Date.UTC(2026, 10, 27, 17, 0, 0)],
  ['27.11.2026 14:30:00 UTC', Date.UTC(2026, 10, 27, 14, 30)],
  ['1931-02-03 04:05:06Z', Date.UTC(1931, 1, 3, 4, 5, 6)],
  ['2026-11-27', new Date(2026, 10, 27).getTime()],
  ['2026-07-01 12:00', new Date(2026, 6, 1, 12).getTime()],
])('%s is a moment', (text, expected) => {
  expect(ms(text)).toBe(expected)
})

test('nanoseconds are kept, before 1970 too', () => {
  expect(parseTimeArgument('1969-12-31 23:59:59.000000001Z')).toBe(-999_999_999n)
})

test.each(['2026-02-31', '2026-13-01', '2026-11-27 25:00', 'yesterday', '', '2026-11-27 14', '27-11-2026'])(
  '%j is none',
  (text) => {
    expect(() => parseTimeArgument(text)).toThrow(expect.objectContaining({ code: 'usage' }))
  },
)
