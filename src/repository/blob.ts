import { HoldfastError, sha256Hex, shortId } from '../kernel/index.ts'
import { kernels } from './kernels/kernels.ts'
import { ivBytes, sealInto, sealOverheadBytes, tryUnseal, type SealKeys } from './seal.ts'

export type BlobType = 'data' | 'tree'

/** A blob's place in its pack. Lengths in bytes; `length` is that of the stored, sealed form. */
export interface BlobEntry {
  readonly type: BlobType
  /** Lower-case hex SHA-256 of the plaintext. */
  readonly id: string
  readonly offset: number
  readonly length: number
  /** Of the plaintext, when it is stored compressed; absent when it is not. */
  readonly uncompressedLength?: number
}

/** The plaintext of a blob of content is never larger than this. Bytes. */
export const maxBlobBytes = 512 * 1024 * 1024
/** As maxBlobBytes, of trees: the entries of a folder are one blob, however many there are. Those of six million fit. */
export const maxTreeBytes = 2 ** 31 - 1

/** What the stored form of a blob takes at most, and what encodeBlob needs of room: see ZSTD_COMPRESSBOUND of zstd.h. */
export function mostStoredBytes(plaintextBytes: number): number {
  return sealOverheadBytes + plaintextBytes + (plaintextBytes >> 8) + 128
}

/**
 * Compresses and seals a blob at the beginning of `target`. Trees are always compressed in format v2; content only where it gains.
 */
export function encodeBlob(
  keys: SealKeys,
  type: BlobType,
  plaintext: Uint8Array,
  target: Uint8Array,
): Pick<BlobEntry, 'length' | 'uncompressedLength'> {
  const room = type === 'tree' ? target.length - sealOverheadBytes : plaintext.length - 1
  // Straight to where it is then encrypted.
  const frameBytes = room > 0 ? kernels().compress(plaintext, target.subarray(ivBytes, ivBytes + room)) : undefined
  if (frameBytes === undefined) {
    sealInto(keys, plaintext, target)
    return { length: plaintext.length + sealOverheadBytes }
  }
  sealInto(keys, target.subarray(ivBytes, ivBytes + frameBytes), target)
  return { length: frameBytes + sealOverheadBytes, uncompressedLength: plaintext.length }
}

/** As encodeBlob, of what is compressed already. */
export function encodeCompressed(
  keys: SealKeys,
  frames: Uint8Array,
  plaintextBytes: number,
  target: Uint8Array,
): Pick<BlobEntry, 'length' | 'uncompressedLength'> {
  sealInto(keys, frames, target)
  return { length: frames.length + sealOverheadBytes, uncompressedLength: plaintextBytes }
}

/** Memory for what is under way, kept while it is of a usual size. Nothing in it outlives the call that filled it. */
class Scratch {
  #memory = new Uint8Array(0)

  atLeast(length: number): Uint8Array {
    if (length > largestScratchBytes) return new Uint8Array(length)
    if (this.#memory.length < length)
      this.#memory = new Uint8Array(Math.min(largestScratchBytes, Math.max(length, this.#memory.length * 2)))
    return this.#memory
  }
}
const largestScratchBytes = 16 * 1024 * 1024
const frames = new Scratch()
const plaintexts = new Scratch()

/** As decodeBlob, without giving the plaintext. */
export function verifyBlob(keys: SealKeys, stored: Uint8Array, entry: BlobEntry, pack: string): void {
  const { uncompressedLength = stored.length } = entry
  decodeBlob(keys, stored, entry, pack, plaintexts.atLeast(Math.min(uncompressedLength, maxBlobBytes)))
}

/**
 * The plaintext of a stored blob, verified against its id; in `memory` when it is given and large enough. `where` names the pack, for
 * messages. Throws `pack-damaged` with `{pack, blob}` when it does not authenticate, decompress or hash to its id.
 */
export function decodeBlob(keys: SealKeys, stored: Uint8Array, entry: BlobEntry, pack: string, memory?: Uint8Array): Uint8Array {
  const payload = entry.uncompressedLength === undefined ? memory : frames.atLeast(stored.length)
  return openBlob(keys, stored, entry, pack, { payload, plaintext: memory }).plaintext
}

/** A blob without its seal. */
export interface OpenedBlob {
  /** As it was sealed: zstd frames when the entry has an uncompressed length, else the plaintext. */
  readonly payload: Uint8Array
  readonly plaintext: Uint8Array
}

/** As decodeBlob. Each is put into the memory that is given for it, when it is and fits. */
export function openBlob(
  keys: SealKeys,
  stored: Uint8Array,
  entry: BlobEntry,
  pack: string,
  memory: { readonly [Part in keyof OpenedBlob]?: Uint8Array | undefined } = {},
): OpenedBlob {
  const { uncompressedLength } = entry
  const payload = tryUnseal(keys, stored, memory.payload)
  if (payload === undefined)
    throw blobDamaged(entry, pack, `does not authenticate: its ${stored.length} bytes were altered or truncated`)
  const plaintext = uncompressedLength === undefined ? payload : decompressed(payload, entry, memory.plaintext)
  if (plaintext === undefined) throw blobDamaged(entry, pack, 'does not decompress')
  if (plaintext.length !== (uncompressedLength ?? plaintext.length))
    throw blobDamaged(entry, pack, `has ${plaintext.length} bytes where the index says ${uncompressedLength}`)
  if (sha256Hex(plaintext) !== entry.id) throw blobDamaged(entry, pack, 'does not match its id')
  return { payload, plaintext }
}

/** Undefined when it is no frame, or one of more bytes: what an index says must not be able to fill the memory, nor a frame more than that. */
function decompressed(
  frame: Uint8Array,
  { type, uncompressedLength: length = 0 }: BlobEntry,
  memory: Uint8Array | undefined,
): Uint8Array | undefined {
  if (length > (type === 'tree' ? maxTreeBytes : maxBlobBytes)) return undefined
  const plaintext = memory !== undefined && memory.length >= length ? memory.subarray(0, length) : new Uint8Array(length)
  const bytes = kernels().decompress(frame, plaintext)
  return bytes === undefined ? undefined : plaintext.subarray(0, bytes)
}

export function blobDamaged({ id, type, offset }: BlobEntry, pack: string, why: string): HoldfastError {
  return new HoldfastError('pack-damaged', {
    message: `pack ${shortId(pack)} is damaged: ${type} blob ${shortId(id)} at offset ${offset} ${why}`,
    hint: 'run `holdfast check --read-data` to see which snapshots are affected, and copy the pack from another repository',
    details: { pack, blob: id, type, offset },
  })
}
