import { readTrees, type Repository, type TreeNodes } from '../repository/index.ts'

const treesAhead = 32
/** Of the text of trees that wait. */
const bytesAhead = 64 * 1024 * 1024

/** Reads trees for a walk in order: the next ones beside a tree come with it in few requests, and wait until they are asked for. */
export class TreeReader {
  readonly #repository: Repository
  readonly #signal: AbortSignal | undefined
  readonly #ahead = new Map<string, TreeNodes>()
  #aheadBytes = 0

  constructor(repository: Repository, signal?: AbortSignal) {
    this.#repository = repository
    this.#signal = signal
  }

  /** `next` are the trees that are likely to be wanted after it. Throws as Repository.openTree. */
  async read(id: string, next: Iterable<string> = []): Promise<TreeNodes> {
    const waiting = this.#ahead.get(id)
    if (waiting !== undefined) {
      this.#ahead.delete(id)
      this.#aheadBytes -= waiting.bytes
      return waiting
    }
    const wanted = new Set([id])
    for (const other of next) {
      if (wanted.size >= treesAhead) break
      if (!this.#ahead.has(other)) wanted.add(other)
    }
    // What is damaged fails when it is its turn.
    const trees = await this.#tryAll([...wanted])
    for (const [other, nodes] of trees) {
      if (other === id) continue
      this.#ahead.set(other, nodes)
      this.#aheadBytes += nodes.bytes
    }
    return trees.get(id) ?? this.#repository.openTree(id, this.#signal)
  }

  async #tryAll(ids: readonly string[]): Promise<ReadonlyMap<string, TreeNodes>> {
    if (this.#aheadBytes > bytesAhead) {
      this.#ahead.clear()
      this.#aheadBytes = 0
    }
    try {
      return await readTrees(this.#repository, ids, { signal: this.#signal })
    } catch {
      this.#signal?.throwIfAborted()
      return new Map()
    }
  }
}
