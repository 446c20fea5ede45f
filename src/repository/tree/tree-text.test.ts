import { createHash } from 'node:crypto'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { zstdFrames } from '../zstd-frames.ts'
import { TreeText, type CompressedText } from './tree-text.ts'

const pieces = fc.array(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 30 },
)

/** As a backup stores what fits into one frame. */
function stored(text: Uint8Array): CompressedText {
  return { id: createHash('sha256').update(text).digest(), bytes: text.length, frames: new Uint8Array(zstdCompressSync(text)) }
}

test('text of more than a frame is kept as frames, which any zstd reads as one, with the id of the text', () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 2000 }), (added, frameBytes) => {
      const text = new TreeText(frameBytes)
      for (const piece of added) text.add(piece)
      const all = Buffer.concat(added)
      const finished = text.finish()
      const isWhole = !('frames' in finished)
      expect(isWhole).toBe(all.length < frameBytes)
      const { id, bytes, frames } = isWhole ? stored(finished) : finished
      expect(Buffer.from(id)).toEqual(createHash('sha256').update(all).digest())
      expect(bytes).toBe(all.length)
      expect(zstdDecompressSync(frames).equals(all)).toBe(true)
      const single = zstdFrames(frames) ?? []
      expect(single.every(({ contentBytes = all.length }) => contentBytes < frameBytes + 300)).toBe(true)
      expect(Buffer.concat(single.map(({ frame }) => zstdDecompressSync(frame))).equals(all)).toBe(true)
    }),
    { numRuns: 200 },
  )
})

test('frames are told apart, with and without checksums; anything else is none', () => {
  const checked = zstdCompressSync(Buffer.alloc(300_000, 'abc'), { params: { 201: 1 } })
  const plain = zstdCompressSync(Buffer.from('some text'))
  const both = Buffer.concat([checked, plain, checked])
  expect(zstdFrames(both)?.map(({ frame }) => frame.length)).toEqual([checked.length, plain.length, checked.length])
  expect(zstdFrames(both.subarray(0, -1))).toBeUndefined()
  expect(zstdFrames(both.subarray(1))).toBeUndefined()
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => void zstdFrames(Buffer.concat([plain, noise]))))
})
