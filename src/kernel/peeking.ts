/** Goes through items one by one, and shows which comes next: for going through two lists side by side. */
export class Peeking<Item> {
  readonly #items: Iterator<Item>
  #next: Item | undefined

  constructor(items: Iterable<Item>) {
    this.#items = items[Symbol.iterator]()
    this.advance()
  }

  /** Undefined behind the last one. */
  get next(): Item | undefined {
    return this.#next
  }

  advance(): void {
    const { value, done } = this.#items.next()
    this.#next = done === true ? undefined : value
  }
}
