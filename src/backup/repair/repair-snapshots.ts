import { isHoldfastError, messageOf } from '../../kernel/index.ts'
import { selectSnapshots, type Repository, type Snapshot, type SnapshotFilter } from '../../repository/index.ts'
import { withLock } from '../with-lock.ts'
import { TreeRepairer, type RepairChange } from './repair-tree.ts'

/** restic's tag of snapshots that are not what was backed up any more. */
export const repairedTag = 'repaired'
const changesNamed = 1000

export interface RepairSnapshotsJob {
  readonly repository: Repository
  /** By default all that match the filter. */
  readonly ids?: readonly string[]
  readonly filter?: SnapshotFilter
  /** Remove the damaged snapshots once their repaired ones are durable, and those of which nothing can be read. */
  readonly forget?: boolean
  readonly dryRun?: boolean
  readonly retryLockMs?: number
}

export interface RepairSnapshotsProgress {
  readonly type: 'repair-snapshots'
  readonly done: number
  readonly total: number
}

export interface RepairedSnapshot {
  readonly id: string
  readonly time: string
  /** The snapshot without what is missing, perhaps of an earlier repair; absent after a dry run, and when not even its root can be read. */
  readonly repaired?: string
  readonly rootUnreadable: boolean
  /** The first thousand; `changed` counts all. */
  readonly changes: readonly RepairChange[]
  readonly changed: number
  /** Whether the damaged one was removed. */
  readonly forgotten: boolean
}

export interface RepairSnapshotsReport {
  readonly dryRun: boolean
  /** Looked at. */
  readonly snapshots: number
  /** Those that miss something. */
  readonly repaired: readonly RepairedSnapshot[]
  /** Snapshot files that cannot be read: nothing can be saved of them. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[]
}

/**
 * For each snapshot that misses something, writes another without it, tagged `repaired`, whose `original` names the damaged one. What packs
 * lack is told by the index and by their sizes; content is not read: `check --read-data` and `repair packs` come first. Under an exclusive lock.
 * A file keeps what is left of its content: nobody but its owner can say whether that is of use.
 */
export async function repairSnapshots(
  job: RepairSnapshotsJob,
  progress: (event: RepairSnapshotsProgress) => void,
  signal: AbortSignal,
): Promise<RepairSnapshotsReport> {
  const { repository, ids = [], filter = {}, dryRun = false, retryLockMs = 0 } = job
  return withLock(repository, dryRun ? 'shared' : 'exclusive', { retryForMs: retryLockMs }, signal, async (both) => {
    const unreadable: { id: string; reason: string }[] = []
    const onDamaged = (id: string, error: Error) => unreadable.push({ id, reason: messageOf(error) })
    const snapshots = await select(job, { ids, filter, onDamaged }, both)
    repository.dropIndex()
    const index = await repository.loadIndex(both)
    await repository.setAsideLostPacks(both)
    await using writer = await repository.createWriter({ workers: 1, dryRun })
    const repairer = new TreeRepairer(repository, index, writer, both)
    const repaired: RepairedSnapshot[] = []
    for (const [done, snapshot] of snapshots.entries()) {
      progress({ type: 'repair-snapshots', done, total: snapshots.length })
      const { tree, changes } = await repairer.repair(snapshot.tree)
      if (tree === snapshot.tree) continue
      await writer.flush(both)
      const before = snapshots.find(({ original, tree: its }) => original === snapshot.id && its === tree)
      const saved = tree === undefined || dryRun ? undefined : (before ?? (await saveRepaired(repository, snapshot, tree, both)))
      const forgotten = job.forget === true && !dryRun
      if (forgotten) await repository.forgetSnapshot(snapshot.id, both)
      repaired.push({
        id: snapshot.id,
        time: snapshot.time,
        ...(saved && { repaired: saved.id }),
        rootUnreadable: tree === undefined,
        changes: changes.slice(0, changesNamed),
        changed: changes.length,
        forgotten,
      })
    }
    progress({ type: 'repair-snapshots', done: snapshots.length, total: snapshots.length })
    return { dryRun, snapshots: snapshots.length, repaired, unreadable }
  })
}

async function select(
  { repository }: RepairSnapshotsJob,
  selection: { ids: readonly string[]; filter: SnapshotFilter; onDamaged: (id: string, error: Error) => void },
  signal: AbortSignal,
): Promise<Snapshot[]> {
  try {
    return await selectSnapshots(repository, selection, signal)
  } catch (error) {
    // None matches: then none is damaged.
    if (selection.ids.length === 0 && isHoldfastError(error, 'snapshot-not-found')) return []
    throw error
  }
}

function saveRepaired(repository: Repository, snapshot: Snapshot, tree: string, signal: AbortSignal): Promise<Snapshot> {
  const tags = [...new Set([...(snapshot.tags ?? []), repairedTag])]
  return repository.rewriteSnapshot(snapshot, { tree, tags, original: snapshot.id }, signal)
}
