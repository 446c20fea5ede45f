import { encodeNode, isSameNode, TreeEncoder, TreeText, type CompressedText, type TreeNode } from '../../repository/index.ts'
import type { ParentChildren } from './parent-tree.ts'

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
  readonly #before: ParentChildren
  readonly #text = new TreeText()
  readonly #encoder = new TreeEncoder((piece) => this.#text.add(piece))
  #last: Promise<void> = Promise.resolve()
  #isSame = true

  /** `before` are the parent's entries: whoever adds nodes takes them from there. */
  constructor(before: ParentChildren) {
    this.#before = before
  }

  /** In the order of the names; `before` is what the parent has of this name. */
  add({ node }: Pending, before: TreeNode | undefined): void {
    const last = this.#last
    this.#last = (async () => {
      await last
      this.#take(await node, before)
    })()
    // Whoever finishes the tree gets the error.
    this.#last.catch(() => {})
  }

  /** There is nothing to add of this name. */
  leaveOut(before: TreeNode | undefined): void {
    if (before !== undefined) this.#isSame = false
  }

  /** When all nodes are made. `isUnchanged`: they say what those of the parent say. Throws what making a node throws. */
  async finish(): Promise<{ isUnchanged: boolean; text: Uint8Array | CompressedText }> {
    await this.#last
    this.#encoder.finish()
    return { isUnchanged: this.#isSame && this.#before.areAllTaken, text: this.#text.finish() }
  }

  #take(node: TreeNode | EncodedNode | undefined, before: TreeNode | undefined): void {
    if (node === undefined) {
      this.#isSame = false
      return
    }
    this.#isSame &&= isAsBefore(before, node)
    if ('text' in node) this.#encoder.addEncoded(node.latin1Name, node.text)
    else this.#encoder.add(node)
  }
}

export function isAsBefore(before: TreeNode | undefined, node: TreeNode | EncodedNode): boolean {
  if (before === undefined) return false
  return 'text' in node ? encodeNode(before) === node.text : isSameNode(before, node)
}
