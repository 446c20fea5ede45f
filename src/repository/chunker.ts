import { loadWasm } from '../threads/index.ts'

/** restic's limits: no chunk but the last of a file is shorter than the first, none is longer than the second. Bytes. */
export const minChunkBytes = 512 * 1024
export const maxChunkBytes = 8 * 1024 * 1024

interface ChunkerExports {
  heapBase(): number
  init(polynomial: bigint): void
  reset(): void
  scan(address: number, length: number): number
}

/**
 * Cuts one stream of bytes at a time where restic would. It reads only its own memory: put the bytes there, then scan them. The same
 * bytes give the same cuts however they are split over calls.
 */
export interface Chunker {
  /** Where input is put; a plain view of WebAssembly memory that never moves. */
  readonly memory: Uint8Array
  /**
   * Reads on in the chunk under way: `length` bytes at `offset` of `memory`. Gives how many of them belong to it when it ends there, and
   * begins the next chunk; undefined when it goes on. Bytes behind the end were not read: pass them again.
   */
  scan(offset: number, length: number): number | undefined
  /** Forgets the chunk under way: the next scan begins a stream. */
  reset(): void
}

/** `polynomial` is the repository's, irreducible and of degree 53; `memoryBytes` the size of the chunker's memory. */
export async function createChunker(polynomial: bigint, memoryBytes: number): Promise<Chunker> {
  const module = await loadWasm(new URL('./chunker.wasm', import.meta.url))
  const pageBytes = 64 * 1024
  // One page more: the module's tables lie before the heap.
  const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / pageBytes) + 1 })
  const instance = await WebAssembly.instantiate(module, { env: { memory } })
  const wasm = instance.exports as unknown as ChunkerExports
  wasm.init(polynomial)
  const base = wasm.heapBase()
  return {
    memory: new Uint8Array(memory.buffer, base, memoryBytes),
    scan(offset, length) {
      const end = wasm.scan(base + offset, length)
      return end < 0 ? undefined : end
    },
    reset: () => wasm.reset(),
  }
}
