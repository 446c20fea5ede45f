import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256Hex } from '../kernel/index.ts'
import { createBlobIndex } from './blob-index.ts'
import type { BlobEntry, BlobType } from './blob.ts'
import { decodeIndex, encodeIndex, type IndexedPack } from './index-file.ts'

// Few distinct ids, so that the same blob is in several packs, and few first words, so that slots collide.
const id = fc
  .integer({ min: 0, max: 200 })
  .map((n) => `000000${(n % 3).toString().padStart(2, '0')}${sha256Hex(`${n}`).slice(8)}`)
const blob: fc.Arbitrary<BlobEntry> = fc
  .record({
    id,
    type: fc.constantFrom<BlobType>('data', 'tree'),
    offset: fc.integer({ min: 0, max: 0xffff_ffff }),
    length: fc.integer({ min: 0, max: 0xffff_ffff }),
    uncompressedLength: fc.option(fc.integer({ min: 1, max: 0xffff_ffff }), { nil: undefined }),
  })
  .map(({ uncompressedLength, ...entry }) => (uncompressedLength === undefined ? entry : { ...entry, uncompressedLength }))
const packs: fc.Arbitrary<IndexedPack[]> = fc
  .array(fc.array(blob, { maxLength: 30 }), { maxLength: 20 })
  .map((lists) => lists.map((blobs, at) => ({ id: sha256Hex(`pack ${at}`), blobs })))

test('finds every blob at the first place it was seen, and nothing else', () => {
  fc.assert(
    fc.property(packs, (packs) => {
      const index = createBlobIndex()
      const model = new Map<string, BlobEntry & { pack: string }>()
      for (const pack of packs) {
        index.add(pack)
        for (const blob of pack.blobs)
          if (!model.has(`${blob.type}${blob.id}`)) model.set(`${blob.type}${blob.id}`, { ...blob, pack: pack.id })
      }
      expect(index.size).toBe(model.size)
      expect(index.packCount).toBe(packs.length)
      for (const expected of model.values()) {
        expect(index.lookup(expected.type, expected.id)).toEqual(expected)
        expect(index.has(expected.type, expected.id)).toBe(true)
      }
      expect(new Set([...model.values()].map(({ type, id }) => index.position(type, id))).size).toBe(model.size)
      expect([...index.entries()]).toEqual([...model.values()])
      expect(index.lookup('data', sha256Hex('elsewhere'))).toBeUndefined()
    }),
  )
})

test('keeps finding blobs while it grows', () => {
  const index = createBlobIndex()
  const ids = Array.from({ length: 5000 }, (_, at) => sha256Hex(`blob ${at}`))
  for (const [at, id] of ids.entries())
    index.add({ id: sha256Hex(`pack ${at % 7}`), blobs: [{ type: 'data', id, offset: at, length: 40 }] })
  expect(index.size).toBe(5000)
  expect(ids.every((id, at) => index.lookup('data', id)?.offset === at)).toBe(true)
  expect(index.lookup('data', ids[4999] ?? '')?.pack).toBe(sha256Hex(`pack ${4999 % 7}`))
})

test('an index file comes back as it was written', () => {
  fc.assert(
    fc.property(packs, (packs) => {
      expect(decodeIndex(encodeIndex(packs), 'a test')).toEqual(packs)
    }),
  )
})

test("the file has restic's fields in restic's order, and ends with a newline", () => {
  const id = 'ab'.repeat(32)
  const file = encodeIndex([{ id, blobs: [{ id, type: 'tree', offset: 1, length: 2, uncompressedLength: 3 }] }])
  expect(Buffer.from(file).toString()).toBe(
    `{"packs":[{"id":"${id}","blobs":[{"id":"${id}","type":"tree","offset":1,"length":2,"uncompressed_length":3}]}]}\n`,
  )
})

test('packs that rustic marked for deletion are not available', () => {
  const id = sha256Hex('x')
  const pack = { id, blobs: [{ id, type: 'data', offset: 0, length: 40 }] }
  const file = Buffer.from(JSON.stringify({ supersedes: [id], packs: [], packs_to_delete: [pack] }))
  expect(decodeIndex(file, 'a test')).toEqual([])
})

test.each([
  ['', 'not JSON'],
  ['[]', 'no list of packs'],
  ['{"packs":[{"id":"../x","blobs":[]}]}', 'pack 0'],
  [
    `{"packs":[{"id":"${sha256Hex('x')}","blobs":[{"id":"${sha256Hex('x')}","type":"data","offset":-1,"length":3}]}]}`,
    'blob 0 of pack 0',
  ],
])('a malformed index is damage and says where: %s', (text, why) => {
  expect(() => decodeIndex(Buffer.from(text), 'index 1234')).toThrow(
    expect.objectContaining({ code: 'object-damaged', message: expect.stringContaining(why) }),
  )
})
