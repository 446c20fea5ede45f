import { HoldfastError, shortId } from '../../kernel/index.ts'
import type { BlobIndex, BlobType, Repository, Snapshot, TreeNode } from '../../repository/index.ts'
import { walkTrees } from '../walk-trees.ts'
import type { BitSet } from '../bit-set.ts'

export interface Marking {
  readonly repository: Repository
  readonly index: BlobIndex
  readonly snapshots: readonly Snapshot[]
  /** Positions in the index: those of trees say that they were walked. */
  readonly used: BitSet
  readonly onSnapshot: (done: number) => void
}

const namedAtMost = 5

/**
 * Marks every blob that the snapshots need. Throws `blob-missing` when one is in no pack that is there, and what openTree throws: whoever
 * deletes what is not marked must have seen everything.
 */
export async function markUsed({ repository, index, snapshots, used, onSnapshot }: Marking, signal: AbortSignal): Promise<void> {
  const missing = new Map<string, string>()
  for (const [done, snapshot] of snapshots.entries()) {
    onSnapshot(done)
    const mark = (type: BlobType, id: string): boolean => {
      const position = index.position(type, id)
      if (position !== undefined && used.has(position)) return false
      if (position !== undefined && index.has(type, id)) return used.add(position)
      missing.set(`${type} blob ${shortId(id)}`, snapshot.id)
      return false
    }
    const onNode = ({ content }: TreeNode) => {
      for (const id of content ?? []) mark('data', id)
    }
    await walkTrees({ repository, root: snapshot.tree, enter: (tree) => mark('tree', tree), onNode }, signal)
  }
  onSnapshot(snapshots.length)
  if (missing.size > 0) throw missingBlobs(missing)
}

function missingBlobs(missing: ReadonlyMap<string, string>): HoldfastError {
  const names = [...missing.keys()].slice(0, namedAtMost).join(', ')
  const snapshots = [...new Set(missing.values())]
  const more = missing.size > namedAtMost ? `, … (${missing.size})` : ''
  return new HoldfastError('blob-missing', {
    message: `snapshots need what is in no pack, and nothing was deleted: ${names}${more}`,
    hint: `\`holdfast check\` names what is affected; \`holdfast repair index\` finds packs that no index names; a backup stores again what is still in its source (seen first in snapshot ${shortId(snapshots[0] ?? '')})`,
    details: { blobs: [...missing.keys()], snapshots },
  })
}
