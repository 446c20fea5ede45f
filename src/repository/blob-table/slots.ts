import { HoldfastError } from '../../kernel/index.ts'
import type { BlobSegments } from './segments.ts'

const fewestSlots = 4096
/** Of 100 slots so many are taken at most: neighbours are in the same line of the cache, so that long runs of them cost little. */
const mostTaken = 88
/** And so many after it has grown, or when it is told how much will come. */
const taken = { afterGrowth: 60, asPlanned: 80 }
const mostPositionBits = 28

export interface SlotsMemory {
  readonly slots: SharedArrayBuffer
  readonly positionBits: number
}

/**
 * Finds the positions of ids: an open-addressed table of 32-bit slots in shared memory, which is about 5 bytes a blob. Ids are random by
 * construction, so that their first word is the hash. A slot has the position + 1 in its lower bits; those above have some more of the id,
 * so that hardly any other blob needs to be looked at. 0 is a free slot.
 */
export class Slots {
  readonly #segments: BlobSegments
  #slots: Uint32Array
  #positionBits: number
  #count = 0

  constructor(segments: BlobSegments, memory?: SlotsMemory) {
    this.#segments = segments
    this.#slots = memory ? new Uint32Array(memory.slots) : new Uint32Array(new SharedArrayBuffer(fewestSlots * 4))
    this.#positionBits = memory?.positionBits ?? bitsFor(fewestSlots)
  }

  get memory(): SlotsMemory {
    return { slots: this.#slots.buffer as SharedArrayBuffer, positionBits: this.#positionBits }
  }

  get bytes(): number {
    return this.#slots.byteLength
  }

  /** The position of the id at `from`; when it is not there, −1 − the slot where it belongs. */
  find(words: Uint32Array, from: number, isTree: boolean): number {
    const slots = this.#slots
    const { length } = slots
    const bits = this.#positionBits
    const mask = 2 ** bits - 1
    const tag = (words[from + 1] ?? 0) >>> bits
    let slot = firstSlot(words[from] ?? 0, length)
    for (;;) {
      const stored = slots[slot] ?? 0
      if (stored === 0) return -1 - slot
      if (stored >>> bits === tag) {
        const position = (stored & mask) - 1
        if (this.#segments.is(position, words, from, isTree)) return position
      }
      slot = slot + 1 === length ? 0 : slot + 1
    }
  }

  /** Puts the next position to the slot where `find` said that it belongs; its id is among the segments already. */
  put(slot: number): void {
    this.#slots[slot] = this.#stored(this.#count++)
    if (this.#count * 100 >= this.#slots.length * mostTaken) this.#resize(Math.ceil((this.#count * 100) / taken.afterGrowth))
  }

  /** Makes room for so many blobs at once, which is quicker than growing, and smaller. */
  reserve(blobs: number): void {
    const wanted = Math.ceil((blobs * 100) / taken.asPlanned)
    if (wanted > this.#slots.length) this.#resize(wanted)
  }

  #stored(position: number): number {
    return ((((this.#segments.word(position, 1) >>> this.#positionBits) << this.#positionBits) >>> 0) + position + 1) >>> 0
  }

  #resize(length: number): void {
    const bits = bitsFor(length)
    if (bits > mostPositionBits)
      throw new HoldfastError('internal', { message: `an index of more than ${2 ** mostPositionBits - 1} blobs` })
    const slots = new Uint32Array(new SharedArrayBuffer(length * 4))
    this.#positionBits = bits
    for (let position = 0; position < this.#count; position++) {
      let slot = firstSlot(this.#segments.word(position, 0), length)
      while (slots[slot] !== 0) slot = slot + 1 === length ? 0 : slot + 1
      slots[slot] = this.#stored(position)
    }
    this.#slots = slots
  }
}

/** The table is as large as it has to be, not a power of two. */
function firstSlot(hash: number, slots: number): number {
  return Math.floor((hash / 0x1_0000_0000) * slots)
}

/** Bits for the positions + 1 that fit so many slots. */
function bitsFor(slots: number): number {
  return 32 - Math.clz32(slots)
}
