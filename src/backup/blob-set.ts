import type { BlobIndex, BlobType } from '../repository/index.ts'

/** Blobs of an index, one bit for each: of millions too. What the index does not name is never in it. */
export class BlobSet {
  readonly #index: BlobIndex
  #bits = new Uint8Array(1024)

  constructor(index: BlobIndex) {
    this.#index = index
  }

  has(type: BlobType, id: string): boolean {
    const position = this.#index.position(type, id)
    return position !== undefined && this.hasPosition(position)
  }

  hasPosition(position: number): boolean {
    return ((this.#bits[position >>> 3] ?? 0) & (1 << (position & 7))) !== 0
  }

  /** The blob's position in the index the first time that it is added; undefined from then on, and for what the index does not name. */
  add(type: BlobType, id: string): number | undefined {
    const position = this.#index.position(type, id)
    if (position === undefined || this.hasPosition(position)) return undefined
    const at = position >>> 3
    if (at >= this.#bits.length) {
      const larger = new Uint8Array((at + 1) * 2)
      larger.set(this.#bits)
      this.#bits = larger
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (position & 7))
    return position
  }

  removePosition(position: number): void {
    const at = position >>> 3
    if (at < this.#bits.length) this.#bits[at] = (this.#bits[at] ?? 0) & ~(1 << (position & 7))
  }

  /** In ascending order. */
  *positions(): Generator<number> {
    for (const [at, byte] of this.#bits.entries()) {
      if (byte === 0) continue
      for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) yield at * 8 + bit
    }
  }
}
