import { expect, test } from 'vitest'
import { goDurationMs } from './go-duration.ts'

test.each([
  ['3s', 3000],
  ['1h15m30.5s', 4_530_500],
  ['.5m', 30_000],
  ['250ms', 250],
  ['1500us', 1.5],
  ['0', 0],
])('%s is what Go takes it for', (text, expected) => {
  expect(goDurationMs(text)).toBeCloseTo(expected, 6)
})

test.each(['', '3', 's', '1d', '-3s', '3 s', '1h30', '3ss'])("'%s' is no duration", (text) => {
  expect(goDurationMs(text)).toBeUndefined()
})
