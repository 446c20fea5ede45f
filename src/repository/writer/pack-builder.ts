import { HoldfastError, sha256Hex } from '../../kernel/index.ts'
import { encodeBlob, encodeCompressed, mostStoredBytes, type BlobEntry, type BlobType } from '../blob.ts'
import { encodeHeaderLength, encodePackHeader } from '../pack-header.ts'
import { seal, type SealKeys } from '../seal.ts'
import { verifyStored } from '../tree-blob.ts'
import type { CompressedText } from '../tree/tree-text.ts'

/** restic's target: a pack is closed after the blob that reaches it. */
const targetPackBytes = 16 * 1024 * 1024
const firstMemoryBytes = 1024 * 1024

/** A pack that is not closed yet. */
export interface OpenPack {
  readonly blobs: readonly BlobEntry[]
  /** The sealed blobs back to back; the memory may be longer. */
  readonly memory: Uint8Array<ArrayBuffer>
  readonly length: number
}

/** A whole pack, to be stored under its id. */
export interface FinishedPack extends OpenPack {
  /** SHA-256 of the pack. */
  readonly id: string
}

/** Stores a pack and, when that is done, gives back its memory. */
export type StorePack = (pack: FinishedPack) => Promise<Uint8Array<ArrayBuffer>>

/**
 * Fills packs of one type with blobs, compressed and sealed. At most one finished pack is on its way to storage while the next one is
 * filled: `add` and `closing` wait for it, which is what bounds memory and slows reading down to the speed of storage.
 */
export class PackBuilder {
  readonly #type: BlobType
  readonly #keys: SealKeys
  readonly #store: StorePack
  readonly #targetBytes: number
  #blobs: BlobEntry[] = []
  #memory: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #length = 0
  #underWay: Promise<void> = Promise.resolve()
  #spare: Uint8Array<ArrayBuffer> | undefined

  constructor(type: BlobType, keys: SealKeys, store: StorePack, targetBytes: number = targetPackBytes) {
    this.#targetBytes = targetBytes
    this.#type = type
    this.#keys = keys
    this.#store = store
  }

  /** `id` is the SHA-256 of `plaintext`, in hex. Gives the bytes that the blob takes in its pack. */
  async add(id: string, plaintext: Uint8Array | CompressedText): Promise<number> {
    const { storedBytes, closing } = this.put(id, plaintext)
    await closing
    return storedBytes
  }

  /** As `add`; `closing` is there when the blob filled the pack: to be waited for before more is added, or memory grows. */
  put(
    id: string,
    plaintext: Uint8Array | CompressedText,
  ): { readonly storedBytes: number; readonly closing: Promise<void> | undefined } {
    const offset = this.#length
    const encoded = this.#encode(plaintext)
    this.#length += encoded.length
    const blob: BlobEntry = { type: this.#type, id, offset, ...encoded }
    this.#verify(blob)
    this.#blobs.push(blob)
    return { storedBytes: blob.length, closing: this.#length >= this.#targetBytes ? this.#close() : undefined }
  }

  #encode(plaintext: Uint8Array | CompressedText): Pick<BlobEntry, 'length' | 'uncompressedLength'> {
    const isCompressed = 'frames' in plaintext
    this.#reserve(mostStoredBytes(isCompressed ? plaintext.frames.length : plaintext.length))
    const target = this.#memory.subarray(this.#length)
    if (isCompressed) return encodeCompressed(this.#keys, plaintext.frames, plaintext.bytes, target)
    return encodeBlob(this.#keys, this.#type, plaintext, target)
  }

  /** Gives away the pack under way, to be finished together with that of another builder. */
  take(): OpenPack | undefined {
    if (this.#blobs.length === 0) return undefined
    const open = { blobs: this.#blobs, memory: this.#memory, length: this.#length }
    this.#reset()
    return open
  }

  /** Puts what another builder gave away behind what is here. */
  async absorb({ blobs, memory, length }: OpenPack): Promise<void> {
    const base = this.#length
    this.#append(memory.subarray(0, length))
    for (const blob of blobs) this.#blobs.push({ ...blob, offset: base + blob.offset })
    if (this.#length >= this.#targetBytes) await this.#close()
  }

  /** Closes the pack under way, if it holds anything. All packs are stored when this returns. */
  async finish(): Promise<void> {
    if (this.#blobs.length > 0) await this.#close()
    await this.#underWay
  }

  /** A pack that cannot be read back is worse than none: memory and processors do flip bits. restic reads its blobs back, too. */
  #verify(blob: BlobEntry): void {
    const stored = this.#memory.subarray(blob.offset, blob.offset + blob.length)
    try {
      verifyStored(this.#keys, stored, blob, 'not stored yet')
    } catch (error) {
      throw new HoldfastError('internal', {
        message: `${blob.type} blob ${blob.id} did not come back whole from compression and encryption`,
        hint: 'suspect the memory or the processor of this machine: run a memory test',
        cause: error,
      })
    }
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#memory.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Makes room for so many bytes more. */
  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#memory.length) return
    const spare = this.#spare
    this.#spare = undefined
    const fits = spare !== undefined && spare.length >= needed
    const larger = fits ? spare : new Uint8Array(Math.max(needed, this.#grown()))
    larger.set(this.#memory.subarray(0, this.#length))
    this.#memory = larger
  }

  /** Twice as much, but hardly more than a whole pack takes: most end soon behind the target. */
  #grown(): number {
    return Math.min(Math.max(firstMemoryBytes, this.#memory.length * 2), this.#targetBytes + firstMemoryBytes)
  }

  async #close(): Promise<void> {
    const header = seal(this.#keys, encodePackHeader(this.#blobs))
    this.#append(header)
    this.#append(encodeHeaderLength(header.length))
    const id = sha256Hex(this.#memory.subarray(0, this.#length))
    const pack = { id, blobs: this.#blobs, memory: this.#memory, length: this.#length }
    this.#reset()
    await this.#underWay
    const underWay = this.#store(pack).then((memory) => {
      this.#spare = memory
    })
    // Whoever waits for it next gets the error; nobody may for a while.
    underWay.catch(() => {})
    this.#underWay = underWay
  }

  #reset(): void {
    this.#blobs = []
    this.#memory = new Uint8Array(0)
    this.#length = 0
  }
}
