import { promisify } from 'node:util'
import { zstdCompress as zstdCompressCallback } from 'node:zlib'
import { HoldfastError } from '../kernel/index.ts'
import { objectLabel, type Backend, type ObjectKind, type SealedArea } from '../storage/index.ts'
import { seal, unseal, type SealKeys } from './seal.ts'
import { zstdDecompress } from './zstd.ts'

export type AreaKind = Extract<ObjectKind, `holdfast/${string}`>

const compress = promisify(zstdCompressCallback)
const formatVersion = 1
/** WAL segments are the largest, and a gigabyte at most. What hardly changes may be compressed as much as it will. Bytes. */
const maxPlainBytes = 1024 * 1024 * 1024

/**
 * A sealed folder beside the snapshots. An object's plaintext is `version(1) ‖ u16le label length ‖ label ‖ zstd frame`, sealed as restic
 * seals. The label is the object's full name: whoever can write to the storage cannot swap two objects unnoticed.
 */
export function openSealedArea(backend: Backend, keys: SealKeys, kind: AreaKind): SealedArea {
  return {
    list: (prefix, signal) => backend.list(kind, prefix, signal),
    async get(name, signal) {
      const stored = await backend.get(kind, name, signal && { signal })
      return open(keys, stored, objectLabel(kind, name))
    },
    async put(name, plaintext, { ifAbsent = false, signal } = {}) {
      const frame = await compress(plaintext)
      const bytes = Buffer.concat([header(objectLabel(kind, name)), frame])
      await backend.put(kind, name, seal(keys, bytes), { ifAbsent, ...(signal && { signal }) })
    },
    delete: (name, signal) => backend.delete(kind, name, signal),
  }
}

function header(label: string): Buffer {
  const text = Buffer.from(label)
  const fixed = Buffer.alloc(3)
  fixed.writeUInt8(formatVersion)
  fixed.writeUInt16LE(text.length, 1)
  return Buffer.concat([fixed, text])
}

function open(keys: SealKeys, stored: Uint8Array, label: string): Uint8Array {
  const bytes = Buffer.from(unseal(keys, stored, label))
  const damaged = (why: string, details: Readonly<Record<string, string>> = {}) =>
    new HoldfastError('object-damaged', { message: `${label} ${why}`, details: { object: label, what: label, ...details } })
  if (bytes.length < 3 || bytes[0] !== formatVersion) throw damaged(`has an unknown encoding (${bytes[0] ?? 'it is empty'})`)
  const end = 3 + bytes.readUInt16LE(1)
  const actual = bytes.toString('utf8', 3, end)
  if (actual !== label) throw damaged(`is another object: it was stored as '${actual}'`, { storedAs: actual })
  return zstdDecompress(bytes.subarray(end), maxPlainBytes, label)
}
