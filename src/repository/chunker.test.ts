import { createHash, hash } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { type Chunker, createChunker, maxChunkBytes, minChunkBytes } from './chunker.ts'

const polynomial = 0x3da3358b4dc173n
const MiB = 1024 * 1024

let chunker: Chunker
beforeAll(async () => {
  chunker = await createChunker(polynomial, 16 * MiB)
})

/** SHA-256("dr-chunk-0") ‖ SHA-256("dr-chunk-1") ‖ … : bytes that anyone can make again. */
function referenceBytes(length: number): Buffer {
  const pieces = Array.from({ length: length / 32 }, (_, index) => hash('sha256', `dr-chunk-${index}`, 'buffer'))
  return Buffer.concat(pieces)
}

/** The lengths of the chunks of `input`, fed in pieces that end at `splits`. */
function chunkLengths(input: Uint8Array, splits: readonly number[] = []): number[] {
  chunker.reset()
  chunker.memory.set(input)
  const lengths: number[] = []
  let length = 0
  let from = 0
  for (const to of [...splits, input.length].toSorted((a, b) => a - b)) {
    while (from < to) {
      const end = chunker.scan(from, to - from)
      length += end ?? to - from
      from = end === undefined ? to : from + end
      if (end === undefined) continue
      lengths.push(length)
      length = 0
    }
  }
  if (length > 0) lengths.push(length)
  return lengths
}

/** Whether the fingerprint of the 64 bytes before `length` allows a cut: by the book, in BigInt, only to compare with. */
function isCutBehind(input: Uint8Array, length: number): boolean {
  let digest = 0n
  for (const byte of input.subarray(length - 64, length)) {
    digest = (digest << 8n) | BigInt(byte)
    for (let bit = 60n; bit >= 53n; bit--) if ((digest >> bit) & 1n) digest ^= polynomial << (bit - 53n)
  }
  return (digest & 0xfffffn) === 0n
}

test('the chunker cuts the reference stream where restic does', () => {
  const input = referenceBytes(16 * MiB)
  expect(createHash('sha256').update(input).digest('hex')).toBe(
    'dc0274df999b169e3bdc98f69cdfd90d2e5f8d89e57bc32ba0c72443dbf6b423',
  )
  expect(chunkLengths(input)).toEqual([
    890258, 1225960, 2847521, 3238916, 1108405, 1639471, 1296609, 1141430, 1168433, 1050428, 1169785,
  ])
})

test('zeros are cut at the minimum, into the chunk that restic names 07854d2f…', () => {
  expect(chunkLengths(new Uint8Array(9 * MiB))).toEqual(Array.from({ length: 18 }, () => minChunkBytes))
  expect(hash('sha256', new Uint8Array(minChunkBytes))).toBe('07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541')
})

test('input of the minimum length, and shorter, is one chunk', () => {
  const input = referenceBytes(MiB)
  for (const length of [1, 64, minChunkBytes - 65, minChunkBytes - 1, minChunkBytes])
    expect(chunkLengths(input.subarray(0, length))).toEqual([length])
})

test('a chunk without a cut ends at the maximum', () => {
  // A period of one byte has one fingerprint for ever; 0x01 repeated is not a cut.
  const lengths = chunkLengths(new Uint8Array(15 * MiB).fill(1))
  expect(lengths).toEqual([maxChunkBytes, 7 * MiB])
})

test('every cut is one by the definition of the fingerprint, and so is none before it', () => {
  const input = referenceBytes(4 * MiB)
  const [first = 0] = chunkLengths(input)
  expect(isCutBehind(input, first)).toBe(true)
  for (let length = first - 2000; length < first; length++) expect(isCutBehind(input, length)).toBe(false)
})

test('any split of the input gives the same cuts', () => {
  const input = referenceBytes(8 * MiB)
  const whole = chunkLengths(input)
  const cuts = whole.map((_, index) => whole.slice(0, index + 1).reduce((sum, length) => sum + length, 0))
  const interesting = [minChunkBytes - 64, minChunkBytes, ...cuts]
  const near = fc.tuple(fc.constantFrom(...interesting), fc.integer({ min: -130, max: 130 })).map(([at, by]) => at + by)
  const split = fc.oneof(fc.integer({ min: 0, max: input.length }), near)
  fc.assert(
    fc.property(fc.array(split, { maxLength: 40 }), (splits) => {
      const inside = splits.filter((at) => at >= 0 && at <= input.length)
      expect(chunkLengths(input, inside)).toEqual(whole)
    }),
    { numRuns: 60 },
  )
})

test('splits of a few bytes at the maximum give the same cuts', () => {
  const input = new Uint8Array(9 * MiB).fill(1)
  for (const at of [1, 2, 63, 64, 65])
    expect(chunkLengths(input, [maxChunkBytes - at, maxChunkBytes - at + 1])).toEqual([maxChunkBytes, MiB])
})
