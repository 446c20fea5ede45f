import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { BlobEntry } from './blob.ts'
import { generateMasterKey } from './key-file.ts'
import { seal, sealKeys } from './seal.ts'
import { openTreeText, wholeText } from './tree-blob.ts'
import { treePieces } from './tree/pieces.ts'
import { zstdCompress } from './zstd.ts'

const MiB = 1024 * 1024
const keys = sealKeys(generateMasterKey())
const part = Buffer.alloc(4 * MiB, ' ')
const frame = zstdCompress(part)

/** These texts, each compressed to a frame, stored as one tree. */
function storedTree(texts: readonly Buffer[], id?: string): { stored: Uint8Array; entry: BlobEntry } {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(text)
  const stored = seal(keys, Buffer.concat(texts.map((text) => (text === part ? frame : zstdCompress(text)))))
  const uncompressedLength = texts.reduce((sum, { length }) => sum + length, 0)
  return { stored, entry: { type: 'tree', id: id ?? hash.digest('hex'), offset: 0, length: stored.length, uncompressedLength } }
}

const parts = (count: number) => Array.from({ length: count }, () => part)

test('the text of a tree of more than 512 MiB is verified and gone through frame by frame', () => {
  const { stored, entry } = storedTree(parts(130))
  const before = process.memoryUsage().arrayBuffers
  const text = openTreeText(keys, stored, entry, 'ab'.repeat(32))
  expect(text.bytes).toBe(stored.length)
  let [bytes, most] = [0, 0]
  for (const { length } of text.parts() as Iterable<Buffer>) {
    bytes += length
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  expect(bytes).toBe(entry.uncompressedLength)
  expect(most).toBeLessThan(64 * MiB)
})

test('frames that are not those of the id, or not of the length, are damage', () => {
  const { stored, entry } = storedTree(parts(3), 'cd'.repeat(32))
  const open = (changed: BlobEntry) => () => openTreeText(keys, stored, changed, 'ab'.repeat(32))
  const damage = (message: string) => expect.objectContaining({ code: 'pack-damaged', message: expect.stringContaining(message) })
  expect(open(entry)).toThrow(damage('does not match its id'))
  expect(open({ ...entry, uncompressedLength: 11 * MiB })).toThrow(damage('does not decompress'))
  expect(open({ ...entry, uncompressedLength: 13 * MiB })).toThrow(damage('where the index says'))
})

test('a last frame of a few bytes is one as any other', () => {
  const { stored, entry } = storedTree([...parts(2), Buffer.from(']}\n')])
  expect(openTreeText(keys, stored, entry, 'ab'.repeat(32)).bytes).toBe(stored.length)
})

test('frames that are too small to be gone through one by one are read as a whole', () => {
  const { stored, entry } = storedTree(Array.from({ length: 10_000 }, () => Buffer.alloc(1024, ' ')))
  expect(openTreeText(keys, stored, entry, 'ab'.repeat(32)).bytes).toBe(entry.uncompressedLength)
})

test('a usual tree is one piece, and its text is not copied', () => {
  const json = Buffer.from('{"nodes":[]}\n')
  const [piece, ...more] = treePieces(wholeText(json).parts())
  expect(more).toEqual([])
  expect(piece?.buffer).toBe(json.buffer)
  expect(piece).toEqual(json)
})
