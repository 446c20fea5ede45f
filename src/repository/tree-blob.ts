import { createHash } from 'node:crypto'
import { blobDamaged, decodeBlob, verifyBlob, type BlobEntry } from './blob.ts'
import { kernels } from './kernels/kernels.ts'
import { tryUnseal, type SealKeys } from './seal.ts'
import { usualFrameBytes } from './tree/tree-text.ts'
import { zstdFrames, type ZstdFrame } from './zstd-frames.ts'

/** Below, all of the text is taken out of its frame at once. */
export const largeBytes = 2 * usualFrameBytes
/** What a frame may have, to be read as one of several, and what they must have on average: each costs a little. */
const mostFrameBytes = 16 * usualFrameBytes
const leastFrameBytes = 64 * 1024

/** The verified text of a tree, which may be there only as frames. */
export interface StoredText {
  /** Of the memory that it takes. */
  readonly bytes: number
  /** The text, as a whole or cut anywhere. The memory of one part may be used for the next. */
  parts(): Buffer | Iterable<Buffer>
}

/** The text of a tree from its stored form. A large one that was written in frames (see TreeText) stays in them. Throws as decodeBlob. */
export function openTreeText(keys: SealKeys, stored: Uint8Array, entry: BlobEntry, pack: string): StoredText {
  const { uncompressedLength = 0 } = entry
  const frames = uncompressedLength > largeBytes ? framesOf(keys, stored, uncompressedLength) : undefined
  if (frames === undefined) return wholeText(decodeBlob(keys, stored, entry, pack))
  const text = { bytes: stored.length, parts: () => partsOf(frames, entry, pack) }
  const hash = createHash('sha256')
  for (const part of partsOf(frames, entry, pack)) hash.update(part)
  if (hash.digest('hex') !== entry.id) throw blobDamaged(entry, pack, 'does not match its id')
  return text
}

export function wholeText({ buffer, byteOffset, length }: Uint8Array): StoredText {
  return { bytes: length, parts: () => Buffer.from(buffer, byteOffset, length) }
}

/** As verifyBlob, without all of a large tree in memory. */
export function verifyStored(keys: SealKeys, stored: Uint8Array, entry: BlobEntry, pack: string): void {
  if (entry.type === 'tree' && (entry.uncompressedLength ?? 0) > largeBytes) openTreeText(keys, stored, entry, pack)
  else verifyBlob(keys, stored, entry, pack)
}

/** Undefined when it is no sequence of frames that say of how many bytes they are. */
function framesOf(keys: SealKeys, stored: Uint8Array, textBytes: number): readonly ZstdFrame[] | undefined {
  const payload = tryUnseal(keys, stored)
  const frames = payload && zstdFrames(payload)
  if (frames === undefined || frames.length < 2 || textBytes / frames.length < leastFrameBytes) return undefined
  const sizes = frames.map(({ contentBytes = Number.POSITIVE_INFINITY }) => contentBytes)
  const fit = sizes.every((bytes) => bytes <= mostFrameBytes) && sizes.reduce((sum, bytes) => sum + bytes, 0) === textBytes
  return fit ? frames : undefined
}

function* partsOf(frames: readonly ZstdFrame[], entry: BlobEntry, pack: string): Generator<Buffer> {
  const memory = Buffer.allocUnsafeSlow(frames.reduce((most, { contentBytes = 0 }) => Math.max(most, contentBytes), 0))
  for (const { frame, contentBytes } of frames) {
    const bytes = kernels().decompress(frame, memory)
    if (bytes !== contentBytes) throw blobDamaged(entry, pack, 'does not decompress')
    yield memory.subarray(0, bytes)
  }
}
