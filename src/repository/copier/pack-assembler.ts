import { createHash } from 'node:crypto'
import type { BlobEntry } from '../blob.ts'
import type { IndexedPack } from '../index-file.ts'
import { encodeHeaderLength, encodePackHeader } from '../pack-header.ts'
import { seal, type SealKeys } from '../seal.ts'

/** restic's target: a pack is closed after the blob that reaches it. */
const targetPackBytes = 16 * 1024 * 1024

/** Stores a whole pack; durable when it returns. */
export type StorePieces = (pack: IndexedPack, pieces: readonly Uint8Array[]) => Promise<void>

/**
 * Makes packs of one type out of blobs that are sealed already. At most one finished pack is on its way to storage while the next one is
 * filled: `add` waits for it, which bounds memory.
 */
export class PackAssembler {
  readonly #keys: SealKeys
  readonly #store: StorePieces
  readonly #targetBytes: number
  #pieces: Uint8Array[] = []
  #blobs: BlobEntry[] = []
  #length = 0
  #underWay: Promise<void> = Promise.resolve()

  constructor(keys: SealKeys, store: StorePieces, targetBytes = targetPackBytes) {
    this.#keys = keys
    this.#store = store
    this.#targetBytes = targetBytes
  }

  /** The blob is kept, not copied, until its pack is stored. */
  async add(blob: BlobEntry, sealed: Uint8Array): Promise<void> {
    this.#blobs.push({ ...blob, offset: this.#length })
    this.#pieces.push(sealed)
    this.#length += sealed.length
    if (this.#length >= this.#targetBytes) await this.#close()
  }

  /** Closes the pack under way, if it holds anything. All packs are stored when this returns. */
  async finish(): Promise<void> {
    if (this.#blobs.length > 0) await this.#close()
    await this.#underWay
  }

  async #close(): Promise<void> {
    const header = seal(this.#keys, encodePackHeader(this.#blobs))
    const pieces = [...this.#pieces, header, encodeHeaderLength(header.length)]
    const blobs = this.#blobs
    this.#pieces = []
    this.#blobs = []
    this.#length = 0
    const sum = createHash('sha256')
    for (const piece of pieces) sum.update(piece)
    const id = sum.digest('hex')
    const storing = this.#underWay.then(() => this.#store({ id, blobs }, pieces))
    const before = this.#underWay
    // Whoever waits for it next gets the error; nobody may for a while.
    storing.catch(() => {})
    this.#underWay = storing
    await before
  }
}
