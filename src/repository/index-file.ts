import { HoldfastError } from '../kernel/index.ts'
import type { BlobEntry } from './blob.ts'

/** A pack and all its blobs, as an index names them. */
export interface IndexedPack {
  /** Lower-case hex SHA-256 of the stored file. */
  readonly id: string
  readonly blobs: readonly BlobEntry[]
}

/** The JSON of an index file, in restic's field order. To be written as an unpacked file. */
export function encodeIndex(packs: readonly IndexedPack[]): Uint8Array {
  const parts: string[] = []
  for (const { id, blobs } of packs) {
    const items = blobs.map(({ id, type, offset, length, uncompressedLength }) => {
      const tail = uncompressedLength === undefined ? '' : `,"uncompressed_length":${uncompressedLength}`
      return `{"id":"${id}","type":"${type}","offset":${offset},"length":${length}${tail}}`
    })
    parts.push(`{"id":"${id}","blobs":[${items.join(',')}]}`)
  }
  return Buffer.from(`{"packs":[${parts.join(',')}]}\n`)
}

const hexId = /^[0-9a-f]{64}$/

/**
 * The packs that an index file makes available. Unknown fields are skipped, as restic does; rustic's `packs_to_delete` therefore are not
 * available, which is right: they may vanish. Throws `object-damaged`, naming the index and the entry.
 */
export function decodeIndex(json: Uint8Array, what: string): IndexedPack[] {
  const damaged = (why: string) =>
    new HoldfastError('object-damaged', { message: `${what} is not readable: ${why}`, details: { what } })
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString('utf8'))
  } catch {
    throw damaged('it is not JSON')
  }
  if (!isRecord(parsed) || !(Array.isArray(parsed.packs) || parsed.packs === null)) throw damaged('it has no list of packs')
  return ((parsed.packs ?? []) as unknown[]).map((pack, at) => {
    if (!isRecord(pack) || !isId(pack.id) || !Array.isArray(pack.blobs)) throw damaged(`pack ${at} has no id or no blobs`)
    return {
      id: pack.id,
      blobs: pack.blobs.map((blob, index) => readBlob(blob, () => damaged(`blob ${index} of pack ${at} is malformed`))),
    }
  })
}

function readBlob(blob: unknown, malformed: () => HoldfastError): BlobEntry {
  if (!isRecord(blob)) throw malformed()
  const { id, type, offset, length, uncompressed_length: uncompressedLength } = blob
  if (!isId(id) || (type !== 'data' && type !== 'tree') || !isU32(offset) || !isU32(length)) throw malformed()
  if (uncompressedLength === undefined || uncompressedLength === 0) return { id, type, offset, length }
  if (!isU32(uncompressedLength)) throw malformed()
  return { id, type, offset, length, uncompressedLength }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && hexId.test(value)
}

function isU32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff
}
