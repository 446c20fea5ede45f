import { HoldfastError } from '../../kernel/index.ts'

/** Reads exact numbers of bytes from pieces of any size, holding at most one piece. */
export class ByteQueue {
  readonly #pieces: AsyncIterator<Uint8Array>
  #rest: Buffer = Buffer.alloc(0)
  #offset = 0

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  /** How many bytes were taken: the offset for messages. */
  get offset(): number {
    return this.#offset
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#pieces.next()
      if (done === true) return false
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
    return true
  }

  /** `length` bytes as one buffer; undefined at the clean end. Throws when it ends in between. */
  async read(length: number): Promise<Buffer | undefined> {
    if (!(await this.#fill())) return undefined
    if (this.#rest.length >= length) return this.#take(length)
    const whole = Buffer.alloc(length)
    let filled = 0
    for await (const piece of this.pieces(length)) filled += piece.copy(whole, filled)
    return whole
  }

  /** `length` bytes as they come. All must be consumed before anything else is read. */
  async *pieces(length: number): AsyncGenerator<Buffer, void, undefined> {
    for (let missing = length; missing > 0;) {
      if (!(await this.#fill())) {
        throw new HoldfastError('postgres-failed', {
          message: `the server's archive ends at byte ${this.#offset}, with ${missing} bytes missing`,
        })
      }
      const piece = this.#take(Math.min(missing, this.#rest.length))
      missing -= piece.length
      yield piece
    }
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    this.#offset += length
    return taken
  }
}
