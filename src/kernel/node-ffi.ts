import type * as FfiModule from 'node:ffi'

export type Ffi = typeof FfiModule

/**
 * Node's own way to call C. Undefined where it is not built in or not allowed: callers then do what they can without. It warns that it is
 * experimental, which users can do nothing about.
 */
export function nodeFfi(): Ffi | undefined {
  const emitWarning: unknown = Reflect.get(process, 'emitWarning')
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule('node:ffi')
  } catch {
    return undefined
  } finally {
    Reflect.set(process, 'emitWarning', emitWarning)
  }
}

/** More than any call is given. */
const heldAtLeast = 16

/**
 * Gives addresses of memory, and keeps the memory that was asked for last: an address alone keeps nothing from being collected, not even
 * during the call that it is for. What is to be there longer must be kept by the caller.
 */
export function addressing(ffi: Ffi): (memory: Uint8Array | BigInt64Array) => bigint {
  const held: unknown[] = []
  let calls = 0
  return (memory) => {
    held[calls++ % heldAtLeast] = memory
    return ffi.getRawPointer(memory)
  }
}
