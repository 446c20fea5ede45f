import { encodeNode, isSameNode, TreeEncoder, type TreeNode } from '../../repository/index.ts'

/** A node as encodeNode gives it. One character of the name stands for each byte. */
export interface EncodedNode {
  readonly latin1Name: string
  readonly text: string
}

/** A node that is still being made. In an object, so that whoever awaits the walk does not await the node with it. */
export interface Pending {
  /** Undefined when the entry could not be saved; it is among the skipped ones then. */
  readonly node: Promise<TreeNode | EncodedNode | undefined>
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

  #take(node: TreeNode | EncodedNode | undefined): void {
    this.#count++
    if (node === undefined) {
      this.#isSame = false
      return
    }
    this.#isSame &&= isAsBefore(this.#before.get('text' in node ? node.latin1Name : node.name.toString('latin1')), node)
    if ('text' in node) this.#encoder.addEncoded(node.latin1Name, node.text)
    else this.#encoder.add(node)
  }
}

export function isAsBefore(before: TreeNode | undefined, node: TreeNode | EncodedNode): boolean {
  if (before === undefined) return false
  return 'text' in node ? encodeNode(before) === node.text : isSameNode(before, node)
}
