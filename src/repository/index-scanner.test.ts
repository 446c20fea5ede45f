import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256Hex } from '../kernel/index.ts'
import { createBlobIndex } from './blob-index.ts'
import type { BlobType } from './blob.ts'
import { decodeIndex, encodeIndex, type IndexedPack } from './index-file.ts'
import { IndexScanner } from './index-scanner.ts'

const scanner = await IndexScanner.create()
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const blob = fc
  .record({
    id: fc.nat().map((n) => sha256Hex(`${n}`)),
    type: fc.constantFrom<BlobType>('data', 'tree'),
    offset: u32,
    length: u32,
    uncompressedLength: fc.option(fc.integer({ min: 1, max: 0xffff_ffff }), { nil: undefined }),
  })
  .map(({ uncompressedLength, ...entry }) => (uncompressedLength === undefined ? entry : { ...entry, uncompressedLength }))
const packs = fc
  .array(fc.array(blob, { maxLength: 20 }), { maxLength: 10 })
  .map((lists): IndexedPack[] => lists.map((blobs, at) => ({ id: sha256Hex(`pack ${at}`), blobs })))

test('the scanner puts into an index what the reader of JSON does', () => {
  fc.assert(
    fc.property(packs, (packs) => {
      const file = encodeIndex(packs)
      const [scanned, parsed] = [createBlobIndex(), createBlobIndex()]
      expect(scanner.addTo(scanned, file)).toBe(true)
      for (const pack of decodeIndex(file, 'a test')) parsed.add(pack)
      expect([...scanned.entries()]).toEqual([...parsed.entries()])
      expect([...scanned.packs()]).toEqual([...parsed.packs()])
    }),
  )
})

test('the scanner refuses whatever it is not sure of, and then adds nothing', () => {
  const whole = Buffer.from(
    encodeIndex([
      { id: sha256Hex('p'), blobs: [{ type: 'data', id: sha256Hex('b'), offset: 1, length: 23, uncompressedLength: 4 }] },
    ]),
  )
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const index = createBlobIndex()
      const changed = Buffer.from(whole)
      changed[at] = byte
      // What it takes is what the reader of JSON reads in it.
      const expected = createBlobIndex()
      if (scanner.addTo(index, changed)) for (const pack of decodeIndex(changed, 'a test')) expected.add(pack)
      expect([...index.entries()]).toEqual([...expected.entries()])
      expect(index.packCount).toBe(expected.packCount)
    }),
    { numRuns: 2000 },
  )
  for (let length = 0; length < whole.length - 1; length++)
    expect(scanner.addTo(createBlobIndex(), whole.subarray(0, length))).toBe(false)
})

test.each([
  '{"packs":null}',
  '{"packs": []}',
  '{"supersedes":[],"packs":[]}',
  '{"packs":[]}x',
  `{"packs":[{"id":"${sha256Hex('p')}","blobs":[{"id":"${sha256Hex('b')}","type":"data","offset":4294967296,"length":1}]}]}`,
  `{"packs":[{"id":"${sha256Hex('p').toUpperCase()}","blobs":[]}]}`,
])('what is written in another way than restic does is left to the reader of JSON: %s', (text) => {
  expect(scanner.addTo(createBlobIndex(), Buffer.from(text))).toBe(false)
})
