import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatLsn, parseLsn, parseWalFileName, segmentEnd, segmentStart, walFileName } from './lsn.ts'

const segmentSizes = [1, 16, 64, 1024].map((mebibytes) => mebibytes * 1024 * 1024)

test('a position survives being written and read', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (lsn) => {
      expect(parseLsn(formatLsn(lsn))).toBe(lsn)
    }),
  )
})

test('file names are those of pg_walfile_name', () => {
  expect(walFileName(1, 0x3000148n / 0x1000000n, 0x1000000)).toBe('000000010000000000000003')
  expect(walFileName(0x1a, (0x5ff000028n * 1n) / 0x1000000n, 0x1000000)).toBe('0000001A00000005000000FF')
  expect(walFileName(2, 0x140000000n / 0x4000000n, 0x4000000)).toBe('000000020000000100000010')
})

test('a segment survives being named, whatever its size', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...segmentSizes),
      fc.bigInt(0n, 2n ** 50n),
      fc.integer({ min: 1, max: 0xffff }),
      (size, lsn, timeline) => {
        const segment = lsn / BigInt(size)
        expect(parseWalFileName(walFileName(timeline, segment, size), size)).toEqual({ timeline, segment })
        expect(segmentStart(lsn, size) <= lsn && lsn < segmentEnd(lsn, size)).toBe(true)
      },
    ),
  )
})

test('history, backup and partial files are not segments', () => {
  for (const name of ['00000002.history', '000000010000000000000003.partial', '000000010000000000000003.00000028.backup']) {
    expect(parseWalFileName(name, 0x1000000)).toBeUndefined()
  }
})
