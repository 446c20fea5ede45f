import { expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'

test('the values of RFC 3720, B.4', () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

test('in pieces it is the same', () => {
  const bytes = Buffer.from(Array.from({ length: 101 }, (_, index) => (index * 37) & 0xff))
  for (const at of [0, 1, 8, 50, 101]) expect(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at)))).toBe(crc32c(bytes))
})
