import { readTrees, type Repository, type TreeNode } from '../repository/index.ts'

const treesAhead = 32

/** Reads trees for a walk in order: the next ones beside a tree come with it in few requests, and wait until they are asked for. */
export class TreeReader {
  readonly #repository: Repository
  readonly #signal: AbortSignal | undefined
  readonly #ahead = new Map<string, readonly TreeNode[]>()

  constructor(repository: Repository, signal?: AbortSignal) {
    this.#repository = repository
    this.#signal = signal
  }

  /** `next` are the trees that are likely to be wanted after it. Throws as Repository.readTree. */
  async read(id: string, next: Iterable<string> = []): Promise<readonly TreeNode[]> {
    const waiting = this.#ahead.get(id)
    this.#ahead.delete(id)
    if (waiting !== undefined) return waiting
    const wanted = new Set([id])
    for (const other of next) {
      if (wanted.size >= treesAhead) break
      if (!this.#ahead.has(other)) wanted.add(other)
    }
    // What is damaged fails when it is its turn.
    const trees = await this.#tryAll([...wanted])
    for (const [other, nodes] of trees) if (other !== id) this.#ahead.set(other, nodes)
    return trees.get(id) ?? this.#repository.readTree(id, this.#signal)
  }

  async #tryAll(ids: readonly string[]): Promise<ReadonlyMap<string, readonly TreeNode[]>> {
    if (this.#ahead.size > treesAhead * 64) this.#ahead.clear()
    try {
      return await readTrees(this.#repository, ids, this.#signal)
    } catch {
      this.#signal?.throwIfAborted()
      return new Map()
    }
  }
}

/** The trees of the folders among nodes from `at` on. */
export function* subtreesFrom(nodes: readonly TreeNode[], at = 0): Generator<string> {
  for (let index = at; index < nodes.length; index++) {
    const node = nodes[index]
    if (node?.type === 'dir' && node.subtree !== undefined) yield node.subtree
  }
}
