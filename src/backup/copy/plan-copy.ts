import { HoldfastError, shortId } from '../../kernel/index.ts'
import type { BlobIndex, BlobType, Repository, Snapshot, TreeNode } from '../../repository/index.ts'
import { BlobSet } from '../blob-set.ts'
import { isDamage } from '../damage.ts'
import { walkTrees } from '../walk-trees.ts'
import { PositionList } from './position-list.ts'

/** What has to be moved, snapshot by snapshot: what an earlier one brings along is not listed again. */
export interface CopyPlan {
  readonly snapshots: readonly PlannedSnapshot[]
  /** Positions in the source's index. */
  readonly blobs: PositionList
  /** Of all blobs, as stored. */
  readonly storedBytes: number
  /** Snapshots that cannot be copied, as a tree of theirs is missing or damaged. */
  readonly failed: readonly { readonly snapshot: Snapshot; readonly error: HoldfastError }[]
}

export interface PlannedSnapshot {
  readonly snapshot: Snapshot
  /** Its blobs are those of the plan up to here, behind those of the snapshot before. */
  readonly end: number
}

/** Walks all trees of the snapshots, each once, and lists the blobs that the destination lacks. */
export async function planCopy(
  from: Repository,
  to: BlobIndex,
  snapshots: readonly Snapshot[],
  signal: AbortSignal,
  onSnapshot: (done: number) => void,
): Promise<CopyPlan> {
  const index = await from.loadIndex(signal)
  const blobs = new PositionList()
  /** What is listed or there, and trees that were looked at. */
  const seen = new BlobSet(index)
  const planned: PlannedSnapshot[] = []
  const failed: CopyPlan['failed'][number][] = []
  let storedBytes = 0
  for (const [done, snapshot] of snapshots.entries()) {
    onSnapshot(done)
    const before = { blobs: blobs.length, storedBytes }
    const marked: number[] = []
    /** True the first time. */
    const mark = (type: BlobType, id: string): boolean => {
      const place = index.lookup(type, id)
      if (place === undefined) throw missing(from, type, id)
      const position = seen.add(type, id)
      if (position === undefined) return false
      marked.push(position)
      if (!to.has(type, id)) {
        blobs.push(position)
        storedBytes += place.length
      }
      return true
    }
    try {
      const enter = (tree: string) => mark('tree', tree)
      const onNode = ({ content }: Pick<TreeNode, 'content'>) => {
        for (const id of content ?? []) mark('data', id)
      }
      await walkTrees({ repository: from, root: snapshot.tree, enter, onNode }, signal)
      planned.push({ snapshot, end: blobs.length })
    } catch (error) {
      if (!isDamage(error)) throw error
      failed.push({ snapshot, error })
      // Below what was looked at last, others may still find something.
      for (const position of marked) seen.removePosition(position)
      blobs.truncate(before.blobs)
      storedBytes = before.storedBytes
    }
  }
  return { snapshots: planned, blobs, storedBytes, failed }
}

function missing({ location }: Repository, type: BlobType, id: string): HoldfastError {
  return new HoldfastError('blob-missing', {
    message: `no index of ${location} names ${type} blob ${shortId(id)}`,
    hint: 'run `holdfast check` there to see which snapshots are affected',
    details: { blob: id, type },
  })
}
