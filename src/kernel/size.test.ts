import { expect, test } from 'vitest'
import { formatSize, tryParseSize } from './size.ts'

test.each([
  ['16MiB', 16 * 1024 ** 2],
  ['1.5 GB', 1_500_000_000],
  ['0B', 0],
])('%s is %i bytes', (text, bytes) => {
  expect(tryParseSize(text)).toBe(bytes)
})

test.each(['16', '16M', '16 mib', '-1B', 'B'])('%j is refused', (text) => {
  expect(tryParseSize(text)).toBeUndefined()
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [12 * 1024 ** 3, '12 GiB'],
])('%i bytes read as %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text)
})
