import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatLsn, parseLsn } from './lsn.ts'

test('a WAL position is read as it was written', () => {
  fc.assert(fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (lsn) => parseLsn(formatLsn(lsn)) === lsn))
  expect(formatLsn(0x16_b374_d848n)).toBe('16/B374D848')
  expect(parseLsn('0/1000028')).toBe(0x100_0028n)
})

test.each(['', '16', '16/', '/1', '16/B374D8480', '1G/0', '16/B3 '])('%j is not a WAL position', (text) => {
  expect(() => parseLsn(text)).toThrow(expect.objectContaining({ code: 'usage' }))
})
