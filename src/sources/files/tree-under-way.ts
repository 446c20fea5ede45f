import { isSameNode, TreeEncoder, type TreeNode } from '../../repository/index.ts'

/** A node that is still being made. In an object, so that whoever awaits the walk does not await the node with it. */
export interface Pending {
  /** Undefined when the entry could not be saved; it is among the skipped ones then. */
  readonly node: Promise<TreeNode | undefined>
}

/** The tree of a directory whose entries are still being saved. Nodes are encoded as they come, in order, so that few of them are kept. */
export class TreeUnderWay {
  readonly #before: ReadonlyMap<string, TreeNode>
  readonly #encoder = new TreeEncoder()
  #last: Promise<void> = Promise.resolve()
  #count = 0
  #isSame = true

  /** `before` are the parent's entries by name, bytes as latin1 text. */
  constructor(before: ReadonlyMap<string, TreeNode>) {
    this.#before = before
  }

  /** In the order of the names. */
  add({ node }: Pending): void {
    const before = this.#last
    this.#last = (async () => {
      await before
      this.#take(await node)
    })()
    // Whoever finishes the tree gets the error.
    this.#last.catch(() => {})
  }

  /** When all nodes are made. `isUnchanged`: they say what those of the parent say. Throws what making a node throws. */
  async finish(): Promise<{ isUnchanged: boolean; encoder: TreeEncoder }> {
    await this.#last
    return { isUnchanged: this.#isSame && this.#count === this.#before.size, encoder: this.#encoder }
  }

  #take(node: TreeNode | undefined): void {
    const same = node && this.#before.get(node.name.toString('latin1'))
    this.#isSame &&= node !== undefined && same !== undefined && isSameNode(same, node)
    this.#count++
    if (node !== undefined) this.#encoder.add(node)
  }
}
