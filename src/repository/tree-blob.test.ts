import { createHash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { BlobEntry } from './blob.ts'
import { generateMasterKey } from './key-file.ts'
import { seal, sealKeys } from './seal.ts'
import { openTreeText } from './tree-blob.ts'

const MiB = 1024 * 1024
const keys = sealKeys(generateMasterKey())
const part = Buffer.alloc(4 * MiB, ' ')
const frame = zstdCompressSync(part)

/** So many frames of the same, stored as one tree. */
function storedTree(count: number, id?: string): { stored: Uint8Array; entry: BlobEntry } {
  const hash = createHash('sha256')
  for (let at = 0; at < count; at++) hash.update(part)
  const stored = seal(keys, Buffer.concat(Array.from({ length: count }, () => frame)))
  const uncompressedLength = count * part.length
  return { stored, entry: { type: 'tree', id: id ?? hash.digest('hex'), offset: 0, length: stored.length, uncompressedLength } }
}

test('the text of a tree of more than 512 MiB is verified and gone through frame by frame', () => {
  const { stored, entry } = storedTree(130)
  const before = process.memoryUsage().arrayBuffers
  const text = openTreeText(keys, stored, entry, 'ab'.repeat(32))
  expect(text.bytes).toBe(stored.length)
  let [bytes, most] = [0, 0]
  for (const { length } of text.parts()) {
    bytes += length
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  expect(bytes).toBe(entry.uncompressedLength)
  expect(most).toBeLessThan(64 * MiB)
})

test('frames that are not those of the id, or not of the length, are damage', () => {
  const { stored, entry } = storedTree(3, 'cd'.repeat(32))
  const open = (changed: BlobEntry) => () => openTreeText(keys, stored, changed, 'ab'.repeat(32))
  const damage = (message: string) => expect.objectContaining({ code: 'pack-damaged', message: expect.stringContaining(message) })
  expect(open(entry)).toThrow(damage('does not match its id'))
  expect(open({ ...entry, uncompressedLength: 11 * MiB })).toThrow(damage('does not decompress'))
  expect(open({ ...entry, uncompressedLength: 13 * MiB })).toThrow(damage('where the index says'))
})
