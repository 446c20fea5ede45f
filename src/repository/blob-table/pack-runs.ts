/**
 * In which pack the blobs of a range of positions are: those of a pack are added together, so that nothing need be kept for each blob. A
 * pack that is added in parts has several runs.
 */
export class PackRuns {
  /** First position of each run, ascending. */
  readonly #starts: number[] = []
  readonly #packs: number[] = []

  /** The next position is the pack's. */
  begin(position: number, pack: number): void {
    if (this.#packs.at(-1) === pack) return
    this.#starts.push(position)
    this.#packs.push(pack)
  }

  packOf(position: number): number {
    let low = 0
    let high = this.#starts.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] ?? 0) <= position) low = middle
      else high = middle
    }
    return this.#packs[low] ?? 0
  }

  /** In order: positions from `start` to before `end`. */
  *runs(count: number): Generator<{ readonly start: number; readonly end: number; readonly pack: number }> {
    for (const [at, pack] of this.#packs.entries())
      yield { start: this.#starts[at] ?? 0, end: this.#starts[at + 1] ?? count, pack }
  }
}
