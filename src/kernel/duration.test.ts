import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDuration, parseDuration, tryParseDuration } from './duration.ts'

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['7d', 604_800_000],
  ['1.5h', 5_400_000],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '5', '5 minutes', 'm5', '-5m', '5M', '1e3s', '5m '])(
  '%j is refused: its unit is missing or could be mistaken',
  (text) => {
    expect(tryParseDuration(text)).toBeUndefined()
    expect(() => parseDuration(text)).toThrowError(expect.objectContaining({ code: 'usage' }))
  },
)

test.each([
  [0, '0 s'],
  [3.4, '3.4 ms'],
  [420, '420 ms'],
  [12_340, '12.3 s'],
  [90_000, '1 min 30 s'],
  [5_400_000, '1 h 30 min'],
  [Number.NaN, 'unknown'],
])('%d ms reads as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

test('a duration never reads as nothing', () => {
  fc.assert(fc.property(fc.nat(2 ** 40), (ms) => formatDuration(ms).length > 0))
})
