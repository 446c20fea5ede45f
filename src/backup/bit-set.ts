/** A set of small numbers, such as positions in an index: one bit each. */
export class BitSet {
  #bytes: Uint8Array

  constructor(expected = 0) {
    this.#bytes = new Uint8Array((expected >>> 3) + 1)
  }

  has(number: number): boolean {
    return ((this.#bytes[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  /** True the first time. */
  add(number: number): boolean {
    const at = number >>> 3
    if (at >= this.#bytes.length) {
      const larger = new Uint8Array(at * 2 + 1)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    const byte = this.#bytes[at] ?? 0
    const added = byte | (1 << (number & 7))
    this.#bytes[at] = added
    return added !== byte
  }

  /** True when it was in it. */
  delete(number: number): boolean {
    if (!this.has(number)) return false
    this.#bytes[number >>> 3] = (this.#bytes[number >>> 3] ?? 0) & ~(1 << (number & 7))
    return true
  }

  /** The numbers in it, in order. */
  *values(): Generator<number> {
    for (const [at, byte] of this.#bytes.entries())
      if (byte !== 0) for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) yield at * 8 + bit
  }
}
