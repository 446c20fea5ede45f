import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256Hex } from '../kernel/index.ts'
import type { BlobEntry, BlobType } from './blob.ts'
import {
  decodePackHeader,
  encodeHeaderLength,
  encodePackHeader,
  locateHeader,
  openPackHeader,
  packFileBytes,
  type HeaderEntry,
} from './pack-header.ts'
import { seal, sealKeys } from './seal.ts'

const keys = sealKeys({ encrypt: Buffer.alloc(32, 1), macK: Buffer.alloc(16, 2), macR: Buffer.alloc(16, 3) })
const pack = sha256Hex('a pack')

const entry: fc.Arbitrary<HeaderEntry> = fc
  .record({
    type: fc.constantFrom<BlobType>('data', 'tree'),
    id: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    length: fc.integer({ min: 33, max: 100_000 }),
    uncompressedLength: fc.option(fc.integer({ min: 1, max: 0xffff_ffff }), { nil: undefined }),
  })
  .map(({ uncompressedLength, ...entry }) => (uncompressedLength === undefined ? entry : { ...entry, uncompressedLength }))

test('what a header says comes back, with offsets that follow from the lengths', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 50 }), (entries) => {
      let offset = 0
      const expected = entries.map((item): BlobEntry => {
        const placed = { ...item, offset }
        offset += item.length
        return placed
      })
      expect(decodePackHeader(encodePackHeader(entries), pack)).toEqual(expected)
    }),
  )
})

test('a pack that was put together is located and opened, whatever its blobs', () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 20 }), (entries) => {
      const header = seal(keys, encodePackHeader(entries))
      const blobsBytes = entries.reduce((sum, { length }) => sum + length, 0)
      const tail = Buffer.concat([header, encodeHeaderLength(header.length)])
      const size = blobsBytes + tail.length
      expect(packFileBytes(entries)).toBe(size)
      expect(locateHeader(size, tail.subarray(-4), pack)).toEqual({ offset: blobsBytes, length: header.length })
      expect(openPackHeader(keys, header, size, pack).map(({ id }) => id)).toEqual(entries.map(({ id }) => id))
      expect(() => openPackHeader(keys, header, size + 1, pack)).toThrow(expect.objectContaining({ code: 'pack-damaged' }))
    }),
  )
})

test('the layout is that of the format: type, little-endian lengths, id', () => {
  const id = 'ab'.repeat(32)
  const plain = encodePackHeader([{ type: 'tree', id, length: 0x01020304 }])
  expect(Buffer.from(plain).toString('hex')).toBe(`0104030201${id}`)
  const compressed = encodePackHeader([{ type: 'data', id, length: 5, uncompressedLength: 0x0a0b }])
  expect(Buffer.from(compressed).toString('hex')).toBe(`02050000000b0a0000${id}`)
})

test.each([
  ['an unknown type', Buffer.alloc(37, 9), 'unknown type 9 at offset 0'],
  ['an entry that is cut', Buffer.alloc(36), 'ends within the entry at offset 0'],
])('%s is damage, and the offset is told', (_what, header, why) => {
  expect(() => decodePackHeader(header, pack)).toThrow(
    expect.objectContaining({ code: 'pack-damaged', message: expect.stringContaining(why) }),
  )
})

test.each([
  ['nothing', 0, []],
  ['a length longer than the file', 200, [0xff, 0xff, 0, 0]],
  ['a length beyond the format’s limit', 0x7fff_ffff, [0, 0, 0, 0x40]],
  ['a length too short for one entry', 200, [40, 0, 0, 0]],
])('a pack that ends in %s is damage', (_what, size, tail) => {
  expect(() => locateHeader(size, Uint8Array.from(tail), pack)).toThrow(expect.objectContaining({ code: 'pack-damaged' }))
})
