/** Positions of blobs in an index, 4 bytes each: a plan may have millions. */
export class PositionList {
  #memory = new Uint32Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(position: number): void {
    if (this.#length === this.#memory.length) {
      const larger = new Uint32Array(this.#length * 2)
      larger.set(this.#memory)
      this.#memory = larger
    }
    this.#memory[this.#length++] = position
  }

  /** A view: valid until the next push. */
  slice(from: number, to: number): Uint32Array {
    return this.#memory.subarray(from, Math.min(to, this.#length))
  }

  /** Forgets what was pushed behind the first `length`. */
  truncate(length: number): void {
    this.#length = Math.min(length, this.#length)
  }
}
