import { HoldfastError, mapConcurrently } from '../../kernel/index.ts'
import type { RepositoryLock } from '../../repository/index.ts'
import { rewriteIndexes } from '../rewrite-indexes.ts'
import { removeLeftovers } from '../leftovers.ts'
import { BitSet } from '../bit-set.ts'
import { listPacks, type PackListing } from './list-packs.ts'
import { markUsed } from './mark-used.ts'
import { packAction } from './plan.ts'
import type { Amount, PruneProgress } from './report.ts'
import type { PruneJob } from './request.ts'
import { indexFilesOf, onSnapshot, type Survey } from './survey.ts'

const deletionsAtOnce = 8

/** What was deleted. */
export interface Removal {
  readonly packs: number
  readonly bytes: number
  readonly unindexed: { readonly count: number; readonly bytes: number }
  readonly leftovers: Amount
  readonly undecided: readonly string[]
  readonly indexesWritten: number
  readonly indexesRemoved: number
}

/**
 * Deletes what the survey found unused, under an exclusive lock: nobody else is at work now. What was written since the survey counts: its
 * snapshots are walked too, and a pack stays when it is the only one that has what they need. Order: new indexes, old indexes, packs;
 * after a crash the repository is whole, with at most packs that nothing names. Gives `changed`, and does nothing, when somebody else has
 * pruned since the survey.
 */
export async function removeUnused(
  job: PruneJob,
  found: Survey,
  lock: RepositoryLock,
  progress: (event: PruneProgress) => void,
  signal: AbortSignal,
): Promise<Removal | 'changed'> {
  const { repository } = job
  const { index } = found
  const filesNow = new Set(await indexFilesOf(job, signal))
  if (found.indexFiles.some((name) => !filesNow.has(name))) return 'changed'
  await repository.refreshIndex(signal)
  const packs = await listPacks(repository, index, signal)
  await markNew(job, found, progress, signal)
  const isRemoved = packsToRemove(found, packs)

  // Until its header can be read, or the index that may name it, nobody knows what a pack is needed for.
  const unreadable = repository.unreadableIndexes.length > 0
  const undecided = unreadable ? packs.unindexed.map(({ id }) => id) : []
  const unindexed = unreadable ? [] : packs.unindexed
  const { written, obsolete } = await rewriteIndexes(
    {
      repository,
      stays: ({ id }) => isRemoved[index.packNumber(id) ?? -1] !== 1,
      replaced: new Set(undecided.length === 0 ? repository.unreadableIndexes.map(({ id }) => id) : []),
      onFile: (done, total) => progress({ type: 'prune', phase: 'indexes', done, total }),
    },
    signal,
  )
  // Somebody may have taken a lock for stale that was only slow, and may be at work.
  await lock.confirm()
  await mapConcurrently(obsolete, deletionsAtOnce, (name) => repository.backend.delete('index', name, signal))
  await lock.confirm()
  const removed = [...index.packs()].flatMap(({ id }, number) =>
    isRemoved[number] === 1 && !Number.isNaN(packs.sizes[number]) ? [{ id, sizeBytes: packs.sizes[number] ?? 0 }] : [],
  )
  const all = [...unindexed, ...removed]
  let done = 0
  await mapConcurrently(all, deletionsAtOnce, async ({ id }) => {
    signal.throwIfAborted()
    await repository.backend.delete('data', id, signal)
    progress({ type: 'prune', phase: 'packs', done: ++done, total: all.length })
  })
  repository.dropIndex()
  return {
    leftovers: await removeLeftovers(repository, signal),
    packs: removed.length,
    bytes: bytesOf(removed),
    unindexed: { count: unindexed.length, bytes: bytesOf(unindexed) },
    undecided,
    indexesWritten: written,
    indexesRemoved: obsolete.length,
  }
}

function bytesOf(packs: readonly { readonly sizeBytes: number }[]): number {
  return packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

async function markNew(
  { repository }: PruneJob,
  { index, snapshots: walked, used }: Survey,
  progress: (event: PruneProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const fresh = (await repository.snapshotIds(signal)).filter((id) => !walked.has(id))
  const snapshots = await Promise.all(fresh.map((id) => repository.readSnapshot(id, signal)))
  if (snapshots.length === 0) return
  await markUsed({ repository, index, snapshots, used, onSnapshot: onSnapshot(progress, snapshots) }, signal)
}

/**
 * By pack number, 1 for those that go. A pack that alone has something used stays, whatever the plan was: this is the last look before
 * anything is deleted, and it is made on the index as it is now. Packs that came since the survey stay.
 */
function packsToRemove({ index, used, actions }: Survey, { sizes, lost }: PackListing): Uint8Array {
  const goes = new Uint8Array(sizes.length)
  goes.set(actions.map((action) => (action === packAction.keep ? 0 : 1)))
  for (const pack of lost) goes[pack] = 1
  const stays = new BitSet(index.size)
  index.eachPlace((position, pack) => {
    if (goes[pack] === 0) stays.add(position)
  })
  index.eachPlace((position, pack) => {
    if (goes[pack] !== 0 && used.has(position) && !stays.has(position)) goes[pack] = 0
    if (goes[pack] === 0) stays.add(position)
  })
  for (const position of used.values())
    if (!stays.has(position))
      throw new HoldfastError('blob-missing', {
        message:
          'a blob that snapshots need is in no pack any more, and nothing was deleted: a pack vanished while it was pruned',
        hint: 'run `holdfast check`',
      })
  return goes
}
