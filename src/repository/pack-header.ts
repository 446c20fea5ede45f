import { HoldfastError, shortId } from '../kernel/index.ts'
import type { BlobEntry, BlobType } from './blob.ts'
import { sealOverheadBytes, tryUnseal, type SealKeys } from './seal.ts'

/** What an entry of a header says; offsets follow from the order. */
export type HeaderEntry = Omit<BlobEntry, 'offset'>

export const plainEntryBytes = 37
export const compressedEntryBytes = 41
/** The little-endian length of the sealed header, last in the file. */
export const headerLengthBytes = 4
const maxHeaderBytes = 16 * 1024 * 1024
/** Offsets in it have 32 bits. */
const maxPackBytes = 2 ** 32 - 1

/** The plaintext of a pack's header: its blobs in the order of their bytes. To be sealed and put behind them, then its sealed length. */
export function encodePackHeader(blobs: readonly HeaderEntry[]): Uint8Array {
  const bytes = Buffer.alloc(blobs.reduce((sum, blob) => sum + entryBytes(blob), 0))
  let at = 0
  for (const { type, id, length, uncompressedLength } of blobs) {
    const compressed = uncompressedLength !== undefined
    at = bytes.writeUInt8((type === 'tree' ? 1 : 0) + (compressed ? 2 : 0), at)
    at = bytes.writeUInt32LE(length, at)
    if (compressed) at = bytes.writeUInt32LE(uncompressedLength, at)
    at += bytes.write(id, at, 'hex')
  }
  return bytes
}

/** The 4 bytes that end a pack. */
export function encodeHeaderLength(sealedHeaderBytes: number): Uint8Array {
  const bytes = Buffer.alloc(headerLengthBytes)
  bytes.writeUInt32LE(sealedHeaderBytes)
  return bytes
}

/** What a pack of these blobs weighs: blobs, sealed header, length. Bytes. */
export function packFileBytes(blobs: readonly HeaderEntry[]): number {
  return blobs.reduce((sum, blob) => sum + blob.length + entryBytes(blob), 0) + sealedFixedBytes
}

/** What a pack weighs beside its blobs and the entries of its header. */
export const sealedFixedBytes = sealOverheadBytes + headerLengthBytes

export function entryBytes(blob: Pick<HeaderEntry, 'uncompressedLength'>): number {
  return blob.uncompressedLength === undefined ? plainEntryBytes : compressedEntryBytes
}

/** The plaintext of a header, read. Throws `pack-damaged` naming the offset in the header. */
export function decodePackHeader(header: Uint8Array, pack: string): BlobEntry[] {
  const view = Buffer.from(header.buffer, header.byteOffset, header.length)
  const entries: BlobEntry[] = []
  let offset = 0
  let at = 0
  while (at < view.length) {
    const kind = view.readUInt8(at)
    if (kind > 3) throw headerDamaged(pack, `entry of unknown type ${kind} at offset ${at} of the header`)
    const compressed = kind >= 2
    const size = compressed ? compressedEntryBytes : plainEntryBytes
    if (at + size > view.length) throw headerDamaged(pack, `header ends within the entry at offset ${at}`)
    const type: BlobType = (kind & 1) === 1 ? 'tree' : 'data'
    const length = view.readUInt32LE(at + 1)
    if (length < sealOverheadBytes || offset + length > maxPackBytes)
      throw headerDamaged(pack, `entry of ${length} bytes, which cannot be, at offset ${at} of the header`)
    const id = view.toString('hex', at + size - 32, at + size)
    entries.push({ type, id, offset, length, ...(compressed ? { uncompressedLength: view.readUInt32LE(at + 5) } : {}) })
    offset += length
    at += size
  }
  return entries
}

/** Where the sealed header of a pack is, told by its size and last 4 bytes. Throws `pack-damaged` when that cannot be. */
export function locateHeader(sizeBytes: number, lastBytes: Uint8Array, pack: string): { offset: number; length: number } {
  if (lastBytes.length < headerLengthBytes || sizeBytes < sealedFixedBytes + plainEntryBytes)
    throw headerDamaged(pack, `${sizeBytes} bytes are too few for a pack`)
  const tail = Buffer.from(lastBytes.buffer, lastBytes.byteOffset, lastBytes.length)
  const length = tail.readUInt32LE(tail.length - headerLengthBytes)
  if (length > maxHeaderBytes || length < sealOverheadBytes + plainEntryBytes || length + headerLengthBytes > sizeBytes)
    throw headerDamaged(pack, `a header of ${length} bytes does not fit a file of ${sizeBytes}`)
  return { offset: sizeBytes - headerLengthBytes - length, length }
}

/** Opens and reads a sealed header, and checks that its blobs and itself fill the file exactly. Throws `pack-damaged`. */
export function openPackHeader(keys: SealKeys, sealed: Uint8Array, sizeBytes: number, pack: string): BlobEntry[] {
  const plaintext = tryUnseal(keys, sealed)
  if (plaintext === undefined) throw headerDamaged(pack, 'its header does not authenticate')
  const entries = decodePackHeader(plaintext, pack)
  const expected = packFileBytes(entries)
  if (expected !== sizeBytes) throw headerDamaged(pack, `its header describes ${expected} bytes, the file has ${sizeBytes}`)
  return entries
}

/** As openPackHeader, out of the bytes of the whole pack. */
export function openWholePack(keys: SealKeys, bytes: Uint8Array, pack: string): BlobEntry[] {
  const { offset, length } = locateHeader(bytes.length, bytes.subarray(-headerLengthBytes), pack)
  return openPackHeader(keys, bytes.subarray(offset, offset + length), bytes.length, pack)
}

function headerDamaged(pack: string, why: string): HoldfastError {
  return new HoldfastError('pack-damaged', {
    message: `pack ${shortId(pack)} is damaged: ${why}`,
    hint: 'run `holdfast check --read-data` to see which snapshots are affected, and copy the pack from another repository',
    details: { pack },
  })
}
