import type { Repository, Snapshot } from '../../repository/index.ts'
import { contentStats } from './content-stats.ts'
import { rawDataStats } from './raw-data-stats.ts'
import { restoreSizeStats } from './restore-size-stats.ts'

/**
 * What is counted over all the snapshots, in restic's words.
 *
 * restore-size        what a restore of each of them would write; a file with several names once in each
 * files-by-contents   files with different content: the same in two places or snapshots once
 * raw-data            blobs that any of them needs, each once, as they are stored
 * blobs-per-file      blobs of each path, over all that the file was
 */
export const statsModes = ['restore-size', 'files-by-contents', 'raw-data', 'blobs-per-file'] as const
export type StatsMode = (typeof statsModes)[number]

export interface Stats {
  readonly mode: StatsMode
  readonly snapshots: number
  readonly sizeBytes: number
  /** Not of raw-data. */
  readonly files?: number
  /** Of restore-size only, as are others: links, devices and FIFOs. */
  readonly folders?: number
  readonly others?: number
  /** Of raw-data and blobs-per-file. */
  readonly blobs?: number
  /** Of raw-data: the plaintext of all blobs, and of those that are stored compressed. */
  readonly uncompressedBytes?: number
  readonly compressedBlobs?: number
}

export interface StatsProgress {
  readonly type: 'stats'
  readonly snapshotsDone: number
  readonly snapshotsTotal: number
}

/** Throws as Repository.openTree. */
export async function readStats(
  repository: Repository,
  { snapshots, mode }: { readonly snapshots: readonly Snapshot[]; readonly mode: StatsMode },
  progress: (event: StatsProgress) => void,
  signal: AbortSignal,
): Promise<Stats> {
  const count = {
    'restore-size': restoreSizeStats,
    'raw-data': rawDataStats,
    'files-by-contents': contentStats,
    'blobs-per-file': contentStats,
  }
  await repository.loadIndex(signal)
  const onSnapshot = (snapshotsDone: number) => progress({ type: 'stats', snapshotsDone, snapshotsTotal: snapshots.length })
  const figures = await count[mode]({ repository, snapshots, mode, onSnapshot }, signal)
  return { mode, snapshots: snapshots.length, ...figures }
}

/** What is counted, and whom to tell of it. */
export interface StatsJob {
  readonly repository: Repository
  readonly snapshots: readonly Snapshot[]
  readonly mode: StatsMode
  /** Called before each snapshot. */
  readonly onSnapshot: (done: number) => void
}
