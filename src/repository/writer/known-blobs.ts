import { HoldfastError } from '../../kernel/index.ts'

const idBytes = 32
const initialSlots = 4096
/** 32 Mi ids. Address space, not memory: pages are taken as the table grows. */
const maxBytes = 1024 ** 3
const lockedTooLongMs = 30_000

const lockAt = 0
const countAt = 1
const grownAt = 2
const unlocked = 0
const locked = 1
const contended = 2

/** The memory behind a KnownBlobs, to hand to other threads. */
export interface KnownBlobsMemory {
  readonly control: SharedArrayBuffer
  readonly slots: SharedArrayBuffer
}

/**
 * The ids of blobs that need not be stored again, shared by all threads of a writer: open addressing over 32-byte ids, no objects.
 * A lock guards it; a look-up takes well under a microsecond, while finding the id cost a SHA-256 over the blob.
 *
 * An all-zero slot is free: no content is known, nor likely to be found, whose SHA-256 is zero.
 */
export class KnownBlobs {
  readonly memory: KnownBlobsMemory
  readonly #control: Int32Array
  #slots: Uint8Array
  #words: Uint32Array
  #grown = 0
  readonly #wanted = new Uint32Array(idBytes / 4)
  readonly #wantedBytes = new Uint8Array(this.#wanted.buffer)

  constructor(memory?: KnownBlobsMemory) {
    this.memory = memory ?? {
      control: new SharedArrayBuffer(12),
      slots: new SharedArrayBuffer(initialSlots * idBytes, { maxByteLength: maxBytes }),
    }
    this.#control = new Int32Array(this.memory.control)
    this.#slots = new Uint8Array(0)
    this.#words = new Uint32Array(0)
    this.#follow()
  }

  /** Views of all that there is now: those that follow a buffer as it grows are several times as slow. Whoever grows it counts how often. */
  #follow(): void {
    this.#grown = Atomics.load(this.#control, grownAt)
    this.#slots = new Uint8Array(this.memory.slots, 0, this.memory.slots.byteLength)
    this.#words = new Uint32Array(this.memory.slots, 0, this.memory.slots.byteLength / 4)
  }

  get size(): number {
    return Atomics.load(this.#control, countAt)
  }

  /** True for the first caller with this id, in whatever thread: that one has to store the blob. */
  add(id: Uint8Array): boolean {
    this.#lock()
    try {
      const slot = this.#find(id)
      if (slot === undefined) return false
      this.#slots.set(id, slot * idBytes)
      const count = Atomics.add(this.#control, countAt, 1) + 1
      if (count * 4 > (this.#slots.length / idBytes) * 3) this.#grow()
      return true
    } finally {
      this.#unlock()
    }
  }

  has(id: Uint8Array): boolean {
    this.#lock()
    try {
      return this.#find(id) === undefined
    } finally {
      this.#unlock()
    }
  }

  /** The free slot where the id belongs; undefined when it is there already. */
  #find(id: Uint8Array): number | undefined {
    const mask = this.#slots.length / idBytes - 1
    // Copied for the alignment.
    this.#wantedBytes.set(id)
    const words = this.#wanted
    for (let slot = (words[0] ?? 0) & mask; ; slot = (slot + 1) & mask) {
      const first = slot * 8
      let equal = true
      let free = true
      for (let word = 0; word < 8; word++) {
        const there = this.#words[first + word]
        if (there !== 0) free = false
        if (there !== words[word]) equal = false
      }
      if (equal) return undefined
      if (free) return slot
    }
  }

  #grow(): void {
    if (this.#slots.length * 2 > maxBytes)
      throw new HoldfastError('internal', { message: `more than ${this.size} blobs: the table of known blobs is full` })
    const before = this.#slots.slice()
    this.memory.slots.grow(this.#slots.length * 2)
    Atomics.add(this.#control, grownAt, 1)
    this.#follow()
    this.#slots.fill(0)
    for (let offset = 0; offset < before.length; offset += idBytes) {
      const id = before.subarray(offset, offset + idBytes)
      if (id.every((byte) => byte === 0)) continue
      const slot = this.#find(id)
      if (slot !== undefined) this.#slots.set(id, slot * idBytes)
    }
  }

  #lock(): void {
    if (Atomics.compareExchange(this.#control, lockAt, unlocked, locked) !== unlocked) this.#waitForLock()
    if (Atomics.load(this.#control, grownAt) !== this.#grown) this.#follow()
  }

  #waitForLock(): void {
    while (Atomics.exchange(this.#control, lockAt, contended) !== unlocked) {
      // A thread that died in here would hold the lock for ever: say so instead of waiting with it.
      if (Atomics.wait(this.#control, lockAt, contended, lockedTooLongMs) === 'timed-out')
        throw new HoldfastError('internal', { message: 'a thread died while it held the table of known blobs' })
    }
  }

  #unlock(): void {
    if (Atomics.exchange(this.#control, lockAt, unlocked) === contended) Atomics.notify(this.#control, lockAt, 1)
  }
}
