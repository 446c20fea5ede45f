import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import { openBlob, type BlobEntry } from '../blob.ts'
import { sealInto, sealOverheadBytes, tryUnseal, type SealKeys } from '../seal.ts'
import { zstdCompress } from '../zstd.ts'
import type { Resealed, ResealRequest } from './calls.ts'

/**
 * Takes the seal of one repository off blobs, verifies every plaintext against its id, and seals them for another repository. Compressed
 * frames stay as they are: compressing is most of the work of storing, and would give the same.
 */
export function reseal(from: SealKeys, to: SealKeys, request: ResealRequest): Resealed {
  const { pack, bytes, offset, entries, compress } = request
  const payloads: { entry: BlobEntry; payload: Uint8Array; uncompressedLength: number | undefined }[] = []
  const damaged: Resealed['damaged'][number][] = []
  for (const entry of entries) {
    const start = entry.offset - offset
    try {
      const opened = openBlob(from, bytes.subarray(start, start + entry.length), entry, pack)
      const { uncompressedLength } = entry
      if (uncompressedLength !== undefined || !compress) payloads.push({ entry, payload: opened.payload, uncompressedLength })
      else payloads.push({ entry, ...compressed(entry, opened.plaintext) })
    } catch (error) {
      if (!isHoldfastError(error, 'pack-damaged')) throw error
      damaged.push({ entry, reason: error.message })
    }
  }
  const length = payloads.reduce((sum, { payload }) => sum + payload.length + sealOverheadBytes, 0)
  const sealed = new Uint8Array(length)
  const blobs: BlobEntry[] = []
  let at = 0
  for (const { entry, payload, uncompressedLength } of payloads) {
    const start = at
    at += payload.length + sealOverheadBytes
    sealInto(to, payload, sealed.subarray(start, at))
    confirmSealed(to, sealed.subarray(start, at), payload)
    const place = { type: entry.type, id: entry.id, offset: start, length: at - start }
    blobs.push(uncompressedLength === undefined ? place : { ...place, uncompressedLength })
  }
  return { bytes: sealed, blobs, damaged }
}

/** Trees are always compressed in format v2; content only where it gains. */
function compressed({ type }: BlobEntry, plaintext: Uint8Array): { payload: Uint8Array; uncompressedLength: number | undefined } {
  const frame = zstdCompress(plaintext)
  if (type === 'data' && frame.length >= plaintext.length) return { payload: plaintext, uncompressedLength: undefined }
  return { payload: frame, uncompressedLength: plaintext.length }
}

/** Memory and processors do flip bits; a copy that cannot be read back is none. */
function confirmSealed(keys: SealKeys, sealed: Uint8Array, payload: Uint8Array): void {
  const opened = tryUnseal(keys, sealed)
  if (opened !== undefined && Buffer.compare(opened, payload) === 0) return
  throw new HoldfastError('internal', {
    message: 'a blob did not come back whole from encryption',
    hint: 'suspect the memory or the processor of this machine: run a memory test',
  })
}
