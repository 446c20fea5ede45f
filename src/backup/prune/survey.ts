import { HoldfastError } from '../../kernel/index.ts'
import type { BlobIndex, Snapshot } from '../../repository/index.ts'
import { BitSet } from '../bit-set.ts'
import { listPacks, type PackListing } from './list-packs.ts'
import { markUsed } from './mark-used.ts'
import { packTable, type PackTable } from './pack-table.ts'
import { planPacks } from './plan.ts'
import type { PruneProgress } from './report.ts'
import type { PruneJob } from './request.ts'

/** What a prune knows before it changes anything. */
export interface Survey {
  readonly index: BlobIndex
  /** Index files that were there: if one of them vanishes, somebody else has pruned. */
  readonly indexFiles: readonly string[]
  /** Ids of the snapshots whose blobs are all in `used`. */
  readonly snapshots: Set<string>
  /** Positions in the index. */
  readonly used: BitSet
  readonly packs: PackListing
  readonly table: PackTable
  /** A packAction for each pack number. */
  readonly actions: Uint8Array
}

/** Snapshots, then index, then packs: whatever a snapshot that was listed needs was there before. Under a lock. */
export async function survey(job: PruneJob, progress: (event: PruneProgress) => void, signal: AbortSignal): Promise<Survey> {
  const { repository, without = [], allowRemoveAll = false } = job
  // One that cannot be read ends it: what it needs is not known.
  const snapshots = (await repository.snapshots(signal)).filter(({ id }) => !without.includes(id))
  const indexFiles = await indexFilesOf(job, signal)
  repository.dropIndex()
  const index = await repository.loadIndex(signal)
  if (snapshots.length === 0 && index.packCount > 0 && !allowRemoveAll) throw nothingLeft(repository.location)
  const packs = await listPacks(repository, index, signal)
  const used = new BitSet(index.size)
  await markUsed({ repository, index, snapshots, used, onSnapshot: onSnapshot(progress, snapshots) }, signal)
  const table = packTable(index, used)
  return {
    index,
    indexFiles,
    snapshots: new Set(snapshots.map(({ id }) => id)),
    used,
    packs,
    table,
    actions: planPacks(table, packs, job),
  }
}

export async function indexFilesOf({ repository }: Pick<PruneJob, 'repository'>, signal: AbortSignal): Promise<string[]> {
  const listed = await Array.fromAsync(repository.backend.list('index', '', signal))
  return listed.map(({ name }) => name)
}

export function onSnapshot(progress: (event: PruneProgress) => void, snapshots: readonly Snapshot[]) {
  const total = snapshots.length
  return (done: number) => progress({ type: 'prune', phase: 'snapshots', done, total })
}

function nothingLeft(location: string): HoldfastError {
  return new HoldfastError('would-remove-all', {
    message: `${location} lists no snapshot: every pack would be deleted`,
    hint: 'if its folder `snapshots` should not be empty, bring it back first; if all was to be forgotten, give --unsafe-allow-remove-all',
  })
}
