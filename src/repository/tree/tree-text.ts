import { createHash } from 'node:crypto'
import { HoldfastError } from '../../kernel/index.ts'
import { maxTreeBytes, mostStoredBytes } from '../blob.ts'
import { kernels } from '../kernels/kernels.ts'

/** Of text that is compressed by itself: of usual trees, all. zstd looks back half as far with our level. */
export const usualFrameBytes = 4 * 1024 * 1024
/** The text of a tree that is not kept as text: zstd frames, which follow each other as one blob. */
export interface CompressedText {
  /** SHA-256 of the text. */
  readonly id: Uint8Array
  /** Of the text. */
  readonly bytes: number
  readonly frames: Uint8Array<ArrayBuffer>
}

/**
 * Takes the text of a tree as it is made. That of a million entries has some 350 MB, and would be there several times until it is stored:
 * all but the last megabytes is compressed, in frames that can be read one by one again. Every zstd reads such frames as one content.
 */
export class TreeText {
  readonly #frameBytes: number
  readonly #hash = createHash('sha256')
  readonly #frames: Uint8Array[] = []
  #pieces: Buffer[] = []
  #bytesOfPieces = 0
  #bytes = 0

  constructor(frameBytes: number = usualFrameBytes) {
    this.#frameBytes = frameBytes
  }

  /** Throws `source-unreadable` when there is more text than can be read again. */
  add(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#bytesOfPieces += piece.length
    this.#bytes += piece.length
    if (this.#bytes > maxTreeBytes) throw tooLarge()
    if (this.#bytesOfPieces >= this.#frameBytes) this.#compress()
  }

  /** All of it, as it is when it fits into one frame. */
  finish(): Uint8Array | CompressedText {
    if (this.#frames.length === 0) return Buffer.concat(this.#pieces)
    if (this.#bytesOfPieces > 0) this.#compress()
    return { id: this.#hash.digest(), bytes: this.#bytes, frames: Buffer.concat(this.#frames) }
  }

  #compress(): void {
    const text = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#bytesOfPieces = 0
    this.#hash.update(text)
    const memory = new Uint8Array(mostStoredBytes(text.length))
    const length = kernels().compress(text, memory)
    if (length === undefined) throw new HoldfastError('internal', { message: 'a frame of a tree does not fit its bound' })
    this.#frames.push(memory.slice(0, length))
  }
}

function tooLarge(): HoldfastError {
  return new HoldfastError('source-unreadable', {
    message: `a folder has so many entries that they take more than ${maxTreeBytes} bytes: such a tree could not be read again`,
    hint: 'leave it out with --exclude, or spread its entries over several folders',
    details: { reason: 'too many entries' },
  })
}
