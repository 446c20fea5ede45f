import { HoldfastError } from '../kernel/index.ts'
import type { SealedArea } from '../storage/index.ts'

/** A SealedArea for the unit tests of this folder: `objects` are the plaintexts, `damaged` names those that do not authenticate. */
export function createMemoryArea() {
  const objects = new Map<string, Uint8Array>()
  const damaged = new Set<string>()
  const area: SealedArea = {
    async *list(prefix = '') {
      for (const [name, { length }] of objects)
        if (name.startsWith(prefix)) yield await Promise.resolve({ name, sizeBytes: length })
    },
    async get(name) {
      await Promise.resolve()
      const bytes = objects.get(name)
      if (bytes === undefined) throw new HoldfastError('object-missing', { message: `no ${name}` })
      if (damaged.has(name)) throw new HoldfastError('object-damaged', { message: `${name} does not authenticate` })
      return bytes
    },
    async put(name, plaintext, { ifAbsent = false } = {}) {
      await Promise.resolve()
      if (ifAbsent && objects.has(name)) throw new HoldfastError('already-exists', { message: `${name} exists` })
      objects.set(name, plaintext)
    },
    async delete(name) {
      await Promise.resolve()
      objects.delete(name)
    },
  }
  return { area, objects, damaged }
}
