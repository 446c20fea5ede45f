import { readTrees, type Repository, type TreeNode } from '../repository/index.ts'

/** Enough to read packs of trees in few requests; some megabytes of nodes at a time. */
const treesAtOnce = 64

export interface TreeWalk {
  readonly repository: Repository
  readonly root: string
  /** Whether this tree is to be looked at: asked again each time that one is met. */
  readonly enter: (tree: string) => boolean
  readonly onTree: (tree: string, nodes: readonly TreeNode[]) => void
}

/** The tree `root` and those below it, in no order, without their paths. Throws as Repository.readTree. */
export async function walkTrees({ repository, root, enter, onTree }: TreeWalk, signal?: AbortSignal): Promise<void> {
  const pending = enter(root) ? [root] : []
  while (pending.length > 0) {
    signal?.throwIfAborted()
    const some = pending.splice(-treesAtOnce)
    for (const [tree, nodes] of await readTrees(repository, some, signal)) {
      onTree(tree, nodes)
      for (const { type, subtree } of nodes) if (type === 'dir' && subtree !== undefined && enter(subtree)) pending.push(subtree)
    }
  }
}
