import type { StoredText } from '../tree-blob.ts'
import { decodeTree } from './decode.ts'
import type { TreeNode } from './node.ts'
import { treePieces } from './pieces.ts'

/** A megabyte is some thousand nodes, whose objects take about ten. */
const usualPieceBytes = 1024 * 1024

/** A node of a tree, and the trees of folders that follow it: those that are known without reading on. */
export interface NodeInPlace {
  readonly node: TreeNode
  readonly next: Iterable<string>
}

/**
 * The nodes of a tree, in its order. Objects are made of a few at a time, each time that they are gone through: those of a million nodes
 * take several times the memory of the tree's text, which is all that is kept, and less than that of one that was stored in frames. Going through them throws as decodeTree, with what
 * precedes the damage given already.
 */
export class TreeNodes implements Iterable<TreeNode> {
  readonly #text: StoredText
  readonly #what: string
  readonly #pieceBytes: number
  #kept: TreeNode[] | undefined

  /** `what` names the tree, for messages. */
  constructor(text: StoredText, what: string, pieceBytes: number = usualPieceBytes) {
    this.#text = text
    this.#what = what
    this.#pieceBytes = pieceBytes
  }

  /** Of the memory that the text takes. */
  get bytes(): number {
    return this.#text.bytes
  }

  /** Goes through all of them once. Throws as that does. The objects of a usual tree are kept for who goes through them next. */
  verify(): void {
    let count = 0
    let only: TreeNode[] | undefined
    for (const nodes of this.#pieces()) only = count++ === 0 ? nodes : undefined
    this.#kept = only
  }

  *[Symbol.iterator](): Generator<TreeNode> {
    for (const nodes of this.#pieces()) yield* nodes
  }

  *inPlace(): Generator<NodeInPlace> {
    for (const nodes of this.#pieces())
      for (const [at, node] of nodes.entries()) yield { node, next: subtreesFrom(nodes, at + 1) }
  }

  *#pieces(): Generator<TreeNode[]> {
    if (this.#kept !== undefined) {
      yield this.#kept
      return
    }
    let first = 0
    for (const piece of treePieces(this.#text.parts(), this.#pieceBytes)) {
      const nodes = decodeTree(piece, this.#what, first)
      first += nodes.length
      yield nodes
    }
  }
}

function* subtreesFrom(nodes: readonly TreeNode[], at: number): Generator<string> {
  for (let index = at; index < nodes.length; index++) {
    const node = nodes[index]
    if (node?.type === 'dir' && node.subtree !== undefined) yield node.subtree
  }
}
