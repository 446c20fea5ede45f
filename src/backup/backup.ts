import { hostname } from 'node:os'
import { HoldfastError, userName, type Json } from '../kernel/index.ts'
import {
  formatTime,
  newestSnapshot,
  type Repository,
  type RepositoryLock,
  type Snapshot,
  type SnapshotRecord,
  type WriterOptions,
  type WriterTotals,
} from '../repository/index.ts'
import { withSharedLock } from './with-lock.ts'
import type { ArchivedTree, ArchiveProgress, ArchiveStats, Skipped, Source } from './source.ts'

export interface BackupJob {
  readonly repository: Repository
  readonly source: Source
  /** The host that the snapshot names; this machine by default. */
  readonly host?: string
  /** Besides those that the source gives. */
  readonly tags?: readonly string[]
  /** A snapshot to compare with; by default the newest of the same paths and host. */
  readonly parent?: string
  /** Read everything, whatever a parent says. */
  readonly force?: boolean
  /** Write no snapshot when its root tree would be the parent's. */
  readonly skipIfUnchanged?: boolean
  /** When the snapshot is to say that it was made: milliseconds since 1970, not in the future. Now by default. */
  readonly timeMs?: number
  /** Read and count, but store nothing and write no snapshot. */
  readonly dryRun?: boolean
  /** How content is stored. */
  readonly writer?: Omit<WriterOptions, 'dryRun'>
  /** The program and its version, for the snapshot. */
  readonly programVersion?: string
}

/** restic's summary, in its own words where it has them. Blob figures are of what the repository did not hold before. */
export interface BackupSummary extends ArchiveStats {
  /** The snapshot's id; absent after a dry run, and when nothing changed and none was wanted then. */
  readonly snapshot?: string
  /** All is as in the parent, so no snapshot was written. */
  readonly unchanged?: true
  readonly parent?: string
  /** When the backup began, milliseconds since 1970. */
  readonly startedAtMs: number
  /** The time that the snapshot says: that one, unless another was asked for. */
  readonly timeMs: number
  readonly durationMs: number
  readonly dataBlobs: number
  readonly treeBlobs: number
  /** Bytes of content that were read; the rest was taken from the parent. */
  readonly bytesRead: number
  /** Bytes before and after compression and encryption. */
  readonly addedBytes: number
  readonly addedStoredBytes: number
  /** Not in the snapshot, or not whole. A backup with any is only partly done. */
  readonly skipped: readonly Skipped[]
  /** Packs that the index names and that are missing or truncated. What they held and is still in the source was stored again. */
  readonly lostPacks: readonly string[]
  readonly facts?: Json
}

/**
 * Protects what a source reads: packs, then indexes, then the snapshot, each durable before the next names it. A backup that fails or is
 * killed leaves a valid repository, with at most packs that nothing refers to.
 */
export async function backup(
  job: BackupJob,
  progress: (event: ArchiveProgress) => void,
  signal: AbortSignal,
): Promise<BackupSummary> {
  return withSharedLock(job.repository, signal, (both, lock) => backUp({ ...job, lock }, progress, both))
}

async function backUp(
  job: BackupJob & { readonly lock: RepositoryLock },
  progress: (event: ArchiveProgress) => void,
  signal: AbortSignal,
): Promise<BackupSummary> {
  const { repository, source } = job
  const startMs = performance.now()
  const startedAtMs = Date.now()
  const timeMs = job.timeMs ?? startedAtMs
  // It would be taken for damage, and its successors for old.
  if (timeMs > startedAtMs)
    throw new HoldfastError('usage', {
      message: 'the time of the snapshot is in the future',
      hint: 'check the date, and its zone',
    })
  const parent = await findParent(job, signal)
  // Snapshots first, then the index: whatever the parent names was indexed before.
  await repository.refreshIndex(signal)
  // What is not there must not be taken for stored: the new snapshot would lack it, and say nothing.
  const lostPacks = await repository.setAsideLostPacks(signal)
  await using writer = await repository.createWriter({ ...job.writer, dryRun: job.dryRun ?? false })
  const archived = await source.archive({ writer, repository, progress, ...(parent && { parent }) }, signal)
  await writer.flush(signal)
  const totals = writer.totals()
  // Without the lock, somebody may have deleted as unused what the snapshot is to name.
  await job.lock.confirm()
  const unchanged = job.skipIfUnchanged === true && parent?.tree === archived.tree
  const record = snapshotRecord(job, { parent, archived, totals, startedAtMs, timeMs })
  const snapshot = job.dryRun || unchanged ? undefined : await repository.saveSnapshot(record, signal)
  const { dataBlobs, treeBlobs, bytesRead, addedBytes, addedStoredBytes } = totals
  return {
    ...(snapshot && { snapshot: snapshot.id }),
    ...(parent && { parent: parent.id }),
    ...(unchanged && { unchanged }),
    startedAtMs,
    timeMs,
    durationMs: performance.now() - startMs,
    ...archived.stats,
    dataBlobs,
    treeBlobs,
    bytesRead,
    addedBytes,
    addedStoredBytes,
    skipped: archived.skipped,
    lostPacks,
    ...(archived.facts !== undefined && { facts: archived.facts }),
  }
}

/** The newest snapshot of this host that has all the paths; one dated in the future is none. */
async function findParent(
  { repository, source, host = hostname(), parent, force = false, timeMs = Date.now() }: BackupJob,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  if (force) return undefined
  if (parent !== undefined) return repository.findSnapshot(parent, {}, signal)
  // A damaged snapshot is no parent, and no reason to end without a new one. It is for check to tell.
  const found = await repository.snapshots(signal, () => {})
  return newestSnapshot(found, { host, paths: source.describe().paths }, timeMs)
}

interface Done {
  readonly parent: Snapshot | undefined
  readonly archived: ArchivedTree
  readonly totals: WriterTotals
  readonly startedAtMs: number
  readonly timeMs: number
}

function snapshotRecord(job: BackupJob, { parent, archived, totals, startedAtMs, timeMs }: Done): SnapshotRecord {
  const { paths, tags, excludes = [] } = job.source.describe()
  const { stats } = archived
  const time = formatTime(BigInt(Math.round(timeMs)) * nsPerMs)
  return {
    time,
    ...(parent && { parent: parent.id }),
    tree: archived.tree,
    paths,
    hostname: job.host ?? hostname(),
    ...whoAmI(),
    excludes,
    tags: [...new Set([...tags, ...(job.tags ?? [])])],
    ...(job.programVersion !== undefined && { programVersion: job.programVersion }),
    summary: {
      backup_start: formatTime(BigInt(startedAtMs) * nsPerMs),
      backup_end: formatTime(BigInt(Date.now()) * nsPerMs),
      files_new: stats.filesNew,
      files_changed: stats.filesChanged,
      files_unmodified: stats.filesUnmodified,
      dirs_new: stats.dirsNew,
      dirs_changed: stats.dirsChanged,
      dirs_unmodified: stats.dirsUnmodified,
      data_blobs: totals.dataBlobs,
      tree_blobs: totals.treeBlobs,
      data_added: totals.addedBytes,
      data_added_packed: totals.addedStoredBytes,
      total_files_processed: stats.totalFilesProcessed,
      total_bytes_processed: stats.totalBytesProcessed,
    },
  }
}

function whoAmI(): { username: string; uid?: number; gid?: number } {
  return {
    username: userName(),
    ...(process.getuid && { uid: process.getuid() }),
    ...(process.getgid && { gid: process.getgid() }),
  }
}

const nsPerMs = 1_000_000n
