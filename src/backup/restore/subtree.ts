import { HoldfastError, shortId } from '../../kernel/index.ts'
import type { Repository, Snapshot } from '../../repository/index.ts'

/** The tree of a directory in a snapshot; that of its root for an empty path. Throws `not-found`. */
export async function findSubtree(
  repository: Repository,
  snapshot: Snapshot,
  path: string,
  signal?: AbortSignal,
): Promise<string> {
  let tree = snapshot.tree
  for (const name of path.split('/').filter((name) => name !== '' && name !== '.')) {
    const nodes = await repository.readTree(tree, signal)
    const node = nodes.find((node) => Buffer.compare(node.name, Buffer.from(name)) === 0)
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
