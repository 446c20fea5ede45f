/** Memory of their own, which can be moved to another thread: a copy of what is a view of more. */
export function ownMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? new Uint8Array(buffer) : new Uint8Array(bytes)
}

/** For a call to another thread: shared memory is there as it is, other memory is moved to it. */
export function movable(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly transfer: ArrayBuffer[] } {
  if (bytes.buffer instanceof SharedArrayBuffer) return { bytes, transfer: [] }
  const own = ownMemory(bytes)
  return { bytes: own, transfer: [own.buffer] }
}
