/** Memory of their own, which can be moved to another thread: a copy of what is a view of more. */
export function ownMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? new Uint8Array(buffer) : new Uint8Array(bytes)
}

/**
 * Memory that every thread sees, to be read into again and again. Undefined when there is not so much in one piece: what is read then gets memory of its
 * own, as little as it needs.
 */
export function sharedMemory(sizeBytes: number): Uint8Array | undefined {
  try {
    return new Uint8Array(new SharedArrayBuffer(sizeBytes))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** For a call to another thread: shared memory is there as it is, other memory is moved to it. */
export function movable(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly transfer: ArrayBuffer[] } {
  if (bytes.buffer instanceof SharedArrayBuffer) return { bytes, transfer: [] }
  const own = ownMemory(bytes)
  return { bytes: own, transfer: [own.buffer] }
}
