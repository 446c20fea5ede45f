import { HoldfastError, shortId } from '../../kernel/index.ts'
import type { Repository, Snapshot, TreeNode } from '../../repository/index.ts'

/** The tree of a directory in a snapshot; that of its root for an empty path. Throws `not-found`. */
export async function findSubtree(
  repository: Repository,
  snapshot: Snapshot,
  path: string,
  signal?: AbortSignal,
): Promise<string> {
  let tree = snapshot.tree
  for (const name of path.split('/').filter((name) => name !== '' && name !== '.')) {
    const node = await findNode(repository, tree, Buffer.from(name), signal)
    if (node?.subtree === undefined)
      throw new HoldfastError('not-found', {
        message: `snapshot ${shortId(snapshot.id)} has no directory ${path}`,
        hint: node ? 'to restore a file, give its path with --include' : 'see what it has with `holdfast ls`',
        details: { snapshot: snapshot.id, path },
      })
    tree = node.subtree
  }
  return tree
}

/** The entry of a tree that has this name. */
export async function findNode(
  repository: Repository,
  tree: string,
  name: Uint8Array,
  signal?: AbortSignal,
): Promise<TreeNode | undefined> {
  for (const node of await repository.openTree(tree, signal)) if (Buffer.compare(node.name, name) === 0) return node
  return undefined
}
