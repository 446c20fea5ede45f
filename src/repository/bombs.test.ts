import { zstdCompressSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { decodeBlob, type BlobEntry } from './blob.ts'
import { generateMasterKey } from './key-file.ts'
import { seal, sealKeys } from './seal.ts'
import { decodeUnpacked } from './unpacked.ts'

const MiB = 1024 * 1024
const keys = sealKeys(generateMasterKey())
let frame: Uint8Array

beforeAll(() => {
  frame = zstdCompressSync(Buffer.alloc(900 * MiB, ' '), { maxOutputLength: MiB })
  // Its making is not what is measured.
  baseline = process.resourceUsage().maxRSS
})
let baseline = 0
/** The largest that the process has been, in bytes, beyond what it was before. */
const grownBy = () => (process.resourceUsage().maxRSS - baseline) * 1024

test('they are small', () => expect(frame.length).toBeLessThan(100_000))

test('an index, snapshot or lock that would fill the memory is refused before it does', () => {
  for (const start of ['', '{"packs":[', '[']) {
    const bomb = Buffer.concat([Buffer.of(2), frame])
    expect(() => decodeUnpacked(keys, seal(keys, bomb), `index ${start}`)).toThrow(
      expect.objectContaining({ code: 'object-damaged', message: expect.stringContaining('does not decompress to at most') }),
    )
  }
  expect(grownBy()).toBeLessThan(100 * MiB)
})

test.each([1000, 64 * MiB, 900 * MiB, 2 ** 32 - 1])(
  'a blob of more than the %i bytes it should have, or than a blob can have, is refused',
  (said) => {
    const stored = seal(keys, frame)
    const entry: BlobEntry = { type: 'data', id: 'ab'.repeat(32), offset: 7, length: stored.length, uncompressedLength: said }
    expect(() => decodeBlob(keys, stored, entry, 'cd'.repeat(32))).toThrow(
      expect.objectContaining({ code: 'pack-damaged', message: expect.stringContaining('at offset 7 does not decompress') }),
    )
    expect(grownBy()).toBeLessThan(200 * MiB)
  },
)
