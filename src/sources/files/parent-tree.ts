import { isHoldfastError, Peeking } from '../../kernel/index.ts'
import type { Repository, TreeNode, TreeNodes } from '../../repository/index.ts'

/** What the parent snapshot has for a directory. */
export interface ParentTree {
  /** Its id. Absent when there is none. */
  readonly tree?: string
  /** Its tree could not be read: what the repository seems to hold below must be looked at, not only looked up. */
  readonly damaged: boolean
  readonly children: ParentChildren
}

/** The entries of a parent's tree, gone through beside those of the directory: of a million, all but the one in turn stay text. */
export class ParentChildren {
  readonly #nodes: Peeking<Named>
  #allTaken = true

  constructor(nodes: Iterable<TreeNode>) {
    this.#nodes = new Peeking(named(nodes))
  }

  /**
   * The entry of this name (one character for each byte), asked for in the order of the names. What a tree has out of order is not found,
   * and read again then.
   */
  take(latin1Name: string): TreeNode | undefined {
    for (let { next } = this.#nodes; next !== undefined && next.latin1Name <= latin1Name; { next } = this.#nodes) {
      this.#nodes.advance()
      if (next.latin1Name === latin1Name) return next.node
      this.#allTaken = false
    }
    return undefined
  }

  /** Whether there is none that was not taken, and none left. */
  get areAllTaken(): boolean {
    return this.#allTaken && this.#nodes.next === undefined
  }
}

interface Named {
  readonly latin1Name: string
  readonly node: TreeNode
}

function* named(nodes: Iterable<TreeNode>): Generator<Named> {
  for (const node of nodes) yield { latin1Name: node.name.toString('latin1'), node }
}

/** A tree that is damaged or gone, or lies below such a one, is no parent: everything below is read again, which repairs what it can. */
export async function readParentTree(
  repository: Repository,
  tree: string | undefined,
  { damaged }: { readonly damaged: boolean },
  signal: AbortSignal,
): Promise<ParentTree> {
  const nodes = tree === undefined ? [] : await readSoundTree(repository, tree, signal)
  const children = new ParentChildren(nodes ?? [])
  return { damaged: damaged || nodes === undefined, children, ...(tree !== undefined && { tree }) }
}

/** Undefined when the tree is damaged or gone: then nothing of it is used. */
export async function readSoundTree(repository: Repository, tree: string, signal: AbortSignal): Promise<TreeNodes | undefined> {
  try {
    const nodes = await repository.openTree(tree, signal)
    nodes.verify()
    return nodes
  } catch (error) {
    const damages = ['pack-damaged', 'blob-missing', 'object-damaged'] as const
    if (damages.some((code) => isHoldfastError(error, code))) return undefined
    throw error
  }
}
