import { plaintextBytes, type TreeNode } from '../../repository/index.ts'
import { BlobSet } from '../blob-set.ts'
import { walkTrees } from '../walk-trees.ts'
import type { Stats, StatsJob } from './stats.ts'

/** Trees are read once, in whatever order is fast. */
export async function rawDataStats(
  { repository, snapshots, onSnapshot }: StatsJob,
  signal: AbortSignal,
): Promise<Partial<Stats> & { sizeBytes: number }> {
  const index = await repository.loadIndex(signal)
  const used = new BlobSet(index)
  const figures = { sizeBytes: 0, blobs: 0, uncompressedBytes: 0, compressedBlobs: 0 }
  for (const [done, snapshot] of snapshots.entries()) {
    onSnapshot(done)
    const enter = (tree: string) => used.add('tree', tree) !== undefined || !index.has('tree', tree)
    const onNode = ({ content }: TreeNode) => {
      for (const id of content ?? []) used.add('data', id)
    }
    await walkTrees({ repository, root: snapshot.tree, enter, onNode }, signal)
  }
  for (const position of used.positions()) {
    const blob = index.at(position)
    if (blob === undefined) continue
    figures.blobs++
    figures.sizeBytes += blob.length
    figures.uncompressedBytes += plaintextBytes(blob)
    if (blob.uncompressedLength !== undefined) figures.compressedBlobs++
  }
  return figures
}
