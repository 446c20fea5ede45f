/**
 * Work for several lanes, each of which begins at a place of its own and goes on from there: what lies close together, such as files of one
 * directory, is done by one of them, and they do not wait for each other's locks. A lane that has done its part takes from the end of the
 * longest other one.
 */
export class Lanes<Item> {
  readonly #parts: Item[][]

  constructor(items: readonly Item[], lanes: number) {
    const each = Math.ceil(items.length / lanes)
    // Backwards, as the last is taken first.
    this.#parts = Array.from({ length: lanes }, (_, lane) => items.slice(lane * each, (lane + 1) * each).toReversed())
  }

  /** Undefined when nothing is left in any lane. */
  take(lane: number): Item | undefined {
    const own = this.#parts[lane]?.pop()
    if (own !== undefined) return own
    const longest = this.#parts.reduce((best, part) => (part.length > best.length ? part : best), [])
    return longest.shift()
  }
}
