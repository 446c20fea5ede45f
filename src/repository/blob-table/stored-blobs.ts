import type { BlobType } from '../blob.ts'
import { BlobSegments } from './segments.ts'
import { Slots, type SlotsMemory } from './slots.ts'

/** What another thread needs to know which blobs are stored: an index as it was when this was taken, copied for nobody. */
export interface StoredBlobsMemory {
  readonly segments: readonly SharedArrayBuffer[]
  readonly slots: SlotsMemory
  /** A bit for each position that is in no pack that is there. Absent when all are. */
  readonly gone: SharedArrayBuffer | undefined
}

/** Looks blobs up in the memory of an index that another thread may be adding to: what is added later may be seen or not. */
export class StoredBlobs {
  readonly #slots: Slots
  readonly #gone: Uint8Array | undefined
  readonly #wanted = new Uint32Array(8)
  readonly #wantedBytes = Buffer.from(this.#wanted.buffer)

  constructor({ segments, slots, gone }: StoredBlobsMemory) {
    this.#slots = new Slots(new BlobSegments(segments), slots)
    this.#gone = gone && new Uint8Array(gone)
  }

  has(type: BlobType, id: Uint8Array): boolean {
    this.#wantedBytes.set(id)
    return this.#hasWanted(type)
  }

  /** The id is 64 digits of lower-case hex at an offset of `bytes`. */
  hasHexAt(type: BlobType, bytes: Uint8Array, at: number): boolean {
    for (let byte = 0; byte < 32; byte++) {
      const high = nibbles[bytes[at + byte * 2] ?? 0] ?? 0
      this.#wantedBytes[byte] = (high << 4) | (nibbles[bytes[at + byte * 2 + 1] ?? 0] ?? 0)
    }
    return this.#hasWanted(type)
  }

  #hasWanted(type: BlobType): boolean {
    const position = this.#slots.find(this.#wanted, 0, type === 'tree')
    if (position < 0) return false
    const gone = this.#gone?.[position >>> 3] ?? 0
    return ((gone >>> (position & 7)) & 1) === 0
  }
}

const nibbles = new Uint8Array(256)
for (let value = 0; value < 16; value++) nibbles['0123456789abcdef'.charCodeAt(value)] = value
