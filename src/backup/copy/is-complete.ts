import type { HoldfastError } from '../../kernel/index.ts'
import type { BlobIndex, Repository, Snapshot, TreeNode } from '../../repository/index.ts'
import { walkTrees } from '../walk-trees.ts'

/**
 * Whether the destination has all that a snapshot of the source needs: undefined when it has, else why the first of what it lacks could not
 * be copied. Looked at only when something was lost: it reads all of the snapshot's trees again.
 */
export async function isComplete(
  from: Repository,
  to: BlobIndex,
  snapshot: Snapshot,
  lost: ReadonlyMap<string, HoldfastError>,
  signal: AbortSignal,
): Promise<HoldfastError | undefined> {
  const entered = new Set<string>()
  let error: HoldfastError | undefined
  const need = (type: 'data' | 'tree', id: string) => {
    if (!to.has(type, id)) error ??= lost.get(id)
  }
  const enter = (tree: string) => {
    if (entered.has(tree)) return false
    entered.add(tree)
    need('tree', tree)
    return error === undefined
  }
  const onNode = ({ content }: Pick<TreeNode, 'content'>) => {
    for (const id of content ?? []) need('data', id)
  }
  await walkTrees({ repository: from, root: snapshot.tree, enter, onNode }, signal)
  return error
}
