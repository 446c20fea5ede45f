import { type Chunker, createChunker, maxChunkBytes } from '../chunker.ts'

/** Read at a time. The memory holds one chunk of the greatest length and one read more. */
const readBytes = 1024 * 1024

export type OnChunk = (chunk: Uint8Array) => Promise<void>

/**
 * Takes a stream of bytes in pieces and gives its chunks. The bytes go straight into the chunker's memory, and chunks are views of it:
 * valid until the promise of `onChunk` settles.
 */
export class ContentReader {
  readonly #chunker: Chunker
  readonly #onChunk: OnChunk
  /** The chunk under way lies in memory from #start to #filled, scanned all of it. */
  #start = 0
  #filled = 0

  static async create(polynomial: bigint, onChunk: OnChunk): Promise<ContentReader> {
    return new ContentReader(await createChunker(polynomial, maxChunkBytes + readBytes), onChunk)
  }

  private constructor(chunker: Chunker, onChunk: OnChunk) {
    this.#chunker = chunker
    this.#onChunk = onChunk
  }

  /** Begins a stream; what is left of another is dropped. */
  begin(): void {
    this.#chunker.reset()
    this.#start = 0
    this.#filled = 0
  }

  /** Calls `read` until it gives 0: it puts bytes into the memory it is given, and says how many. */
  async readAll(read: (memory: Uint8Array) => number): Promise<void> {
    for (;;) {
      const count = read(this.#room())
      if (count === 0) return
      await this.#advance(count)
    }
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      const room = this.#room()
      const piece = bytes.subarray(offset, offset + room.length)
      room.set(piece)
      offset += piece.length
      await this.#advance(piece.length)
    }
  }

  /** Gives the last chunk, if any bytes are left. */
  async end(): Promise<void> {
    if (this.#filled > this.#start) await this.#onChunk(this.#chunker.memory.subarray(this.#start, this.#filled))
    this.begin()
  }

  /** Free memory behind what is filled: at least one byte, at most one read. */
  #room(): Uint8Array {
    const { memory } = this.#chunker
    if (memory.length - this.#filled < readBytes) {
      memory.copyWithin(0, this.#start, this.#filled)
      this.#filled -= this.#start
      this.#start = 0
    }
    return memory.subarray(this.#filled, Math.min(this.#filled + readBytes, memory.length))
  }

  async #advance(count: number): Promise<void> {
    let scanned = this.#filled
    this.#filled += count
    while (scanned < this.#filled) {
      const end = this.#chunker.scan(scanned, this.#filled - scanned)
      if (end === undefined) return
      scanned += end
      await this.#onChunk(this.#chunker.memory.subarray(this.#start, scanned))
      this.#start = scanned
    }
  }
}
