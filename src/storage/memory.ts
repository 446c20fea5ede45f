import type { Backend, ObjectKind } from './backend.ts'
import { alreadyExists, assertObjectName, objectMissing, shortRead } from './object-names.ts'

/** A repository that ends with the process. For tests and dry runs. */
export function createMemoryBackend(): Backend {
  const objects = new Map<ObjectKind, Map<string, Uint8Array>>()
  const folder = (kind: ObjectKind) => {
    const known = objects.get(kind) ?? new Map<string, Uint8Array>()
    objects.set(kind, known)
    return known
  }
  const location = 'memory:'
  return {
    location,
    occupancy: () => Promise.resolve([...objects.values()].some((folder) => folder.size > 0) ? 'occupied' : 'empty'),
    async *list(kind, prefix = '', signal) {
      signal?.throwIfAborted()
      for (const [name, bytes] of folder(kind)) if (name.startsWith(prefix)) yield { name, sizeBytes: bytes.length }
    },
    async stat(kind, name, signal) {
      signal?.throwIfAborted()
      const bytes = folder(kind).get(name)
      return bytes && { name, sizeBytes: bytes.length }
    },
    async get(kind, name, { range, signal } = {}) {
      signal?.throwIfAborted()
      const bytes = folder(kind).get(name)
      if (bytes === undefined) throw objectMissing(kind, name, location)
      if (range === undefined) return bytes.slice()
      const end = range.offset + range.length
      if (end > bytes.length) throw shortRead(kind, name, bytes.length, end)
      return bytes.slice(range.offset, end)
    },
    async put(kind, name, bytes, { ifAbsent = false, signal } = {}) {
      signal?.throwIfAborted()
      assertObjectName(kind, name)
      if (ifAbsent && folder(kind).has(name)) throw alreadyExists(kind, name)
      // A plain array: the slice of a Buffer would share memory with the reader.
      folder(kind).set(name, new Uint8Array(Buffer.concat(bytes instanceof Uint8Array ? [bytes] : bytes)))
    },
    async delete(kind, name, signal) {
      signal?.throwIfAborted()
      folder(kind).delete(name)
    },
    async [Symbol.asyncDispose]() {},
  }
}
