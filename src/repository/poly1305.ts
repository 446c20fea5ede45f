import { createMac } from 'node:crypto'

// Node's own types do not know this function yet.
declare module 'node:crypto' {
  interface Mac {
    update(data: Uint8Array): this
    final(): Buffer
  }
  function createMac(algorithm: 'poly1305', key: Uint8Array): Mac
}

/** The 16-byte tag over all pieces. `key` is r ‖ s, 32 bytes, for one message only; r is clamped at use, so masked and unmasked ones do. */
export function poly1305(key: Uint8Array, pieces: readonly Uint8Array[]): Uint8Array {
  const mac = createMac('poly1305', key)
  for (const piece of pieces) mac.update(piece)
  return mac.final()
}
