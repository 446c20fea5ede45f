import { readTrees, type Repository, type TreeNode } from '../repository/index.ts'

/** Enough to read packs of trees in few requests; some megabytes of text at a time. */
const treesAtOnce = 64

export interface TreeWalk {
  readonly repository: Repository
  readonly root: string
  /** Whether this tree is to be looked at: asked again each time that one is met. */
  readonly enter: (tree: string) => boolean
  readonly onNode: (node: TreeNode) => void
}

/** The tree `root` and those below it, in no order, without their paths. Throws as Repository.openTree, some of whose nodes were told already. */
export async function walkTrees({ repository, root, enter, onNode }: TreeWalk, signal?: AbortSignal): Promise<void> {
  const pending = enter(root) ? [root] : []
  while (pending.length > 0) {
    signal?.throwIfAborted()
    const some = pending.splice(-treesAtOnce)
    const trees = await readTrees(repository, some, { signal })
    // Those that there was no room for.
    for (const tree of some) if (!trees.has(tree)) pending.push(tree)
    for (const nodes of trees.values()) {
      for (const node of nodes) {
        onNode(node)
        const { type, subtree } = node
        if (type === 'dir' && subtree !== undefined && enter(subtree)) pending.push(subtree)
      }
    }
  }
}
