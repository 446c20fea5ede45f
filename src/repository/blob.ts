import { HoldfastError, sha256Hex, shortId } from '../kernel/index.ts'
import { unseal, type SealKeys } from './seal.ts'
import { zstdDecompress } from './zstd.ts'

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

/** The plaintext of an uncompressed blob and of a compressed one is never larger than this. Bytes. */
export const maxBlobBytes = 512 * 1024 * 1024

/**
 * The plaintext of a stored blob, verified against its id. `where` names the pack, for messages.
 * Throws `pack-damaged` with `{pack, blob}` when it does not authenticate, decompress or hash to its id.
 */
export function decodeBlob(keys: SealKeys, stored: Uint8Array, entry: BlobEntry, pack: string): Uint8Array {
  return openBlob(keys, stored, entry, pack).plaintext
}

/** A blob without its seal. */
export interface OpenedBlob {
  /** As it was sealed: a zstd frame when the entry has an uncompressed length, else the plaintext. */
  readonly payload: Uint8Array
  readonly plaintext: Uint8Array
}

/** As decodeBlob. */
export function openBlob(keys: SealKeys, stored: Uint8Array, entry: BlobEntry, pack: string): OpenedBlob {
  const what = `${entry.type} blob ${shortId(entry.id)}`
  const damaged = (why: string, cause?: unknown) =>
    new HoldfastError('pack-damaged', {
      message: `pack ${shortId(pack)} is damaged: ${what} at offset ${entry.offset} ${why}`,
      hint: 'run `holdfast check --read-data` to see which snapshots are affected, and copy the pack from another repository',
      details: { pack, blob: entry.id, type: entry.type, offset: entry.offset },
      ...(cause === undefined ? {} : { cause }),
    })
  let payload: Uint8Array
  try {
    payload = unseal(keys, stored, what)
  } catch (error) {
    throw damaged('does not authenticate', error)
  }
  let plaintext = payload
  if (entry.uncompressedLength !== undefined) {
    try {
      plaintext = zstdDecompress(payload, Math.min(entry.uncompressedLength, maxBlobBytes), what)
    } catch (error) {
      throw damaged('does not decompress', error)
    }
    if (plaintext.length !== entry.uncompressedLength)
      throw damaged(`has ${plaintext.length} bytes where the index says ${entry.uncompressedLength}`)
  }
  if (sha256Hex(plaintext) !== entry.id) throw damaged('does not match its id')
  return { payload, plaintext }
}
