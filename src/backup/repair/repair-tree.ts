import { isHoldfastError } from '../../kernel/index.ts'
import {
  encodeTree,
  isSafeNodeName,
  plaintextBytes,
  type BlobIndex,
  type BlobWriter,
  type Repository,
  type TreeNode,
} from '../../repository/index.ts'
import { BitSet } from '../bit-set.ts'

/** What a repair changed. Paths are within the snapshot; bytes that are not UTF-8 come as U+FFFD. */
export interface RepairChange {
  readonly path: string
  /**
   * content   blobs of a file are missing: it is shorter now, by `lostBlobs` of them
   * size      a file's size was not that of its content
   * folder    what was in a folder cannot be read: it is empty now
   * entry     an entry that could not be restored was left out
   */
  readonly what: 'content' | 'size' | 'folder' | 'entry'
  readonly lostBlobs?: number
}

export interface RepairedTree {
  /** The tree's id now; undefined when it cannot be read. */
  readonly tree: string | undefined
  readonly changes: readonly RepairChange[]
}

/** Makes trees without what is missing. What it has seen it remembers, and snapshots share most trees: whole ones take a bit, others their changes. */
export class TreeRepairer {
  readonly #repository: Repository
  readonly #index: BlobIndex
  readonly #writer: BlobWriter
  readonly #signal: AbortSignal
  /** Positions in the index. */
  readonly #whole = new BitSet()
  readonly #repaired = new Map<string, RepairedTree>()

  constructor(repository: Repository, index: BlobIndex, writer: BlobWriter, signal: AbortSignal) {
    this.#repository = repository
    this.#index = index
    this.#writer = writer
    this.#signal = signal
  }

  /** Paths of changes begin at this tree, with a slash. */
  async repair(tree: string): Promise<RepairedTree> {
    const position = this.#index.position('tree', tree)
    if (position !== undefined && this.#whole.has(position)) return { tree, changes: [] }
    const known = this.#repaired.get(tree)
    if (known) return known
    const repaired = await this.#repair(tree)
    if (repaired.tree === tree && position !== undefined) this.#whole.add(position)
    else this.#repaired.set(tree, repaired)
    return repaired
  }

  async #repair(tree: string): Promise<RepairedTree> {
    this.#signal.throwIfAborted()
    const nodes = await this.#read(tree)
    if (nodes === undefined) return { tree: undefined, changes: [] }
    const changes: RepairChange[] = []
    const left: TreeNode[] = []
    const names = new Set<string>()
    for (const node of nodes) {
      const path = `/${node.name.toString()}`
      const name = node.name.toString('latin1')
      if (node.type === 'irregular' || !isSafeNodeName(node.name) || names.has(name)) {
        changes.push({ path, what: 'entry' })
        continue
      }
      names.add(name)
      if (node.type === 'dir') left.push(await this.#repairFolder(node, path, changes))
      else left.push(node.type === 'file' ? this.#repairFile(node, path, changes) : node)
    }
    if (changes.length === 0) return { tree, changes }
    return { tree: (await this.#writer.saveTree(encodeTree(left), this.#signal)).id, changes }
  }

  async #read(tree: string): Promise<TreeNode[] | undefined> {
    try {
      return await this.#repository.readTree(tree, this.#signal)
    } catch (error) {
      const isLost = (['blob-missing', 'pack-damaged', 'object-damaged'] as const).some((code) => isHoldfastError(error, code))
      if (!isLost) throw error
      return undefined
    }
  }

  async #repairFolder(node: TreeNode, path: string, changes: RepairChange[]): Promise<TreeNode> {
    const below = node.subtree === undefined ? undefined : await this.repair(node.subtree)
    if (below?.tree !== undefined) {
      for (const change of below.changes) changes.push({ ...change, path: `${path}${change.path}` })
      return { ...node, subtree: below.tree }
    }
    changes.push({ path, what: 'folder' })
    const { id: subtree } = await this.#writer.saveTree(encodeTree([]), this.#signal)
    return { ...node, subtree }
  }

  #repairFile(node: TreeNode, path: string, changes: RepairChange[]): TreeNode {
    const content: string[] = []
    let size = 0n
    for (const id of node.content ?? []) {
      const place = this.#index.lookup('data', id)
      if (place === undefined) continue
      content.push(id)
      size += BigInt(plaintextBytes(place))
    }
    const lostBlobs = (node.content?.length ?? 0) - content.length
    if (lostBlobs > 0) changes.push({ path, what: 'content', lostBlobs })
    else if (node.content === null || size !== (node.size ?? 0n)) changes.push({ path, what: 'size' })
    else return node
    return { ...node, content, size }
  }
}
