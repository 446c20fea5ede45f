import { createMemoryBackend, type Backend, type SealedArea } from '../../src/storage/index.ts'

/** An area of a backend without sealing, for the tests of what lies in it. */
export function plainArea(backend: Backend = createMemoryBackend()): SealedArea {
  const kind = 'holdfast/wal'
  return {
    list: (prefix, signal) => backend.list(kind, prefix, signal),
    get: (name, signal) => backend.get(kind, name, signal ? { signal } : {}),
    put: (name, bytes, options) => backend.put(kind, name, bytes, options),
    delete: (name, signal) => backend.delete(kind, name, signal),
  }
}
