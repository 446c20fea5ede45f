import { type Chunker, createChunker, maxChunkBytes } from '../chunker.ts'

/** Read at a time. The memory holds one chunk of the greatest length and one read more. */
const readBytes = 1024 * 1024

/** A promise only when it has to wait: most chunks go into a pack that has room, and a promise for each costs as much as a small file's reading. */
export type OnChunk = (chunk: Uint8Array) => Promise<void> | undefined

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

  /**
   * Calls `read` until it gives 0: it puts bytes into the memory it is given, and says how many. When there was room for more, and `isAll` says that nothing
   * is left, it is not asked again.
   */
  async readAll(read: (memory: Uint8Array) => number, isAll: () => boolean): Promise<void> {
    for (;;) {
      const room = this.#room()
      const count = read(room)
      if (count === 0) return
      const waiting = this.#advance(count)
      if (waiting !== undefined) await waiting
      if (count < room.length && isAll()) return
    }
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      const room = this.#room()
      const piece = bytes.subarray(offset, offset + room.length)
      room.set(piece)
      offset += piece.length
      const waiting = this.#advance(piece.length)
      if (waiting !== undefined) await waiting
    }
  }

  /** Gives the last chunk, if any bytes are left. */
  async end(): Promise<void> {
    const waiting =
      this.#filled > this.#start ? this.#onChunk(this.#chunker.memory.subarray(this.#start, this.#filled)) : undefined
    if (waiting !== undefined) await waiting
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

  #advance(count: number): Promise<void> | undefined {
    const from = this.#filled
    this.#filled += count
    return this.#cut(from)
  }

  /** Gives the chunks that end behind `scanned`. */
  #cut(scanned: number): Promise<void> | undefined {
    while (scanned < this.#filled) {
      const end = this.#chunker.scan(scanned, this.#filled - scanned)
      if (end === undefined) return undefined
      scanned += end
      const waiting = this.#onChunk(this.#chunker.memory.subarray(this.#start, scanned))
      this.#start = scanned
      if (waiting !== undefined) return waiting.then(() => this.#cut(scanned))
    }
    return undefined
  }
}
