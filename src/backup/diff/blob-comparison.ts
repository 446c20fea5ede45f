import { plaintextBytes, type BlobIndex, type Repository, type TreeNode } from '../../repository/index.ts'
import { BlobSet } from '../blob-set.ts'
import { walkTrees } from '../walk-trees.ts'

export interface BlobFigures {
  readonly dataBlobs: number
  readonly treeBlobs: number
  /** Of the plaintext. */
  readonly bytes: number
}

/** Which blobs only one of two snapshots needs. */
export class BlobComparison {
  readonly #repository: Repository
  readonly #index: BlobIndex
  readonly #sides: { readonly added: BlobSet; readonly removed: BlobSet }
  readonly #common: string[] = []

  constructor(repository: Repository, index: BlobIndex) {
    this.#repository = repository
    this.#index = index
    this.#sides = { added: new BlobSet(index), removed: new BlobSet(index) }
  }

  /** A tree of one side: added is what the later one has. */
  noteTree(side: 'added' | 'removed', tree: string): void {
    this.#sides[side].add('tree', tree)
  }

  /** What a node of a side's tree is made of. */
  noteContent(side: 'added' | 'removed', { content }: TreeNode): void {
    for (const id of content ?? []) this.#sides[side].add('data', id)
  }

  /** A tree that both have. */
  noteCommon(tree: string): void {
    this.#common.push(tree)
  }

  /** What is below common trees is read only if it can matter: if anything differs at all. */
  async compare(signal: AbortSignal): Promise<{ added: BlobFigures; removed: BlobFigures }> {
    const { added, removed } = this.#sides
    const onlyAdded = () => difference(added, removed)
    const onlyRemoved = () => difference(removed, added)
    if (!onlyAdded().next().done || !onlyRemoved().next().done) await this.#noteBelowCommon(signal)
    return { added: this.#figures(onlyAdded()), removed: this.#figures(onlyRemoved()) }
  }

  async #noteBelowCommon(signal: AbortSignal): Promise<void> {
    const entered = new BlobSet(this.#index)
    const note = (type: 'data' | 'tree', id: string) => {
      for (const blobs of Object.values(this.#sides)) blobs.add(type, id)
    }
    const enter = (tree: string) => {
      note('tree', tree)
      return entered.add('tree', tree) !== undefined
    }
    const onNode = ({ content }: TreeNode) => {
      for (const id of content ?? []) note('data', id)
    }
    for (const root of this.#common) await walkTrees({ repository: this.#repository, root, enter, onNode }, signal)
  }

  #figures(positions: Iterable<number>): BlobFigures {
    const figures = { dataBlobs: 0, treeBlobs: 0, bytes: 0 }
    for (const position of positions) {
      const blob = this.#index.at(position)
      if (blob === undefined) continue
      figures[blob.type === 'data' ? 'dataBlobs' : 'treeBlobs']++
      figures.bytes += plaintextBytes(blob)
    }
    return figures
  }
}

function* difference(of: BlobSet, without: BlobSet): Generator<number> {
  for (const position of of.positions()) if (!without.hasPosition(position)) yield position
}
