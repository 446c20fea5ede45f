import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import { withLock } from '../with-lock.ts'
import { amountOf, oldLeftovers } from '../leftovers.ts'
import { amountToMove, repack } from './repack.ts'
import { packAction } from './plan.ts'
import { removeUnused, type Removal } from './remove-unused.ts'
import { throttledProgress, type Amount, type PruneProgress, type PruneReport } from './report.ts'
import type { PruneJob } from './request.ts'
import { survey, type Survey } from './survey.ts'

const attempts = 3

/**
 * Frees the space of what no snapshot needs, in two phases. The first, under a shared lock and so beside running backups, finds out what is
 * needed and moves it out of packs that are mostly not; it only adds. The second, under an exclusive lock as restic wants it for deleting,
 * looks again at what has come since, and deletes: it is short, and waits for running backups instead of harming them.
 *
 * Throws `blob-missing` and `pack-damaged`, and deletes nothing, when something that a snapshot needs cannot be had; `object-damaged` when
 * a snapshot cannot be read; `would-remove-all` without any snapshot. Interrupted anywhere it leaves a whole repository, and what was moved
 * is not moved again.
 */
export async function prune(
  job: PruneJob,
  onProgress: (event: PruneProgress) => void,
  signal: AbortSignal,
): Promise<PruneReport> {
  const startMs = performance.now()
  const progress = throttledProgress(onProgress)
  const { repository, dryRun = false, retryLockMs = 0 } = job
  if (!dryRun) refuseVersion1(repository.config.version)
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const { found, moved, unreadable } = await withLock(
      repository,
      'shared',
      { retryForMs: retryLockMs },
      signal,
      async (both) => {
        const found = await survey(job, progress, both)
        const moved = dryRun ? amountToMove(found) : await repack(job, found, progress, both)
        return { found, moved, unreadable: [...repository.unreadableIndexes] }
      },
    )
    const removal = dryRun ? undefined : await remove(job, found, progress, signal)
    if (removal === 'changed') continue
    const leftovers = removal?.leftovers ?? amountOf(await oldLeftovers(repository, signal))
    return {
      ...report(found, moved, removal, leftovers),
      dryRun,
      unreadableIndexes: unreadable,
      durationMs: performance.now() - startMs,
    }
  }
  throw new HoldfastError('locked', {
    message: `others pruned ${repository.location} at the same time, ${attempts} times; what is left unused stays for the next prune`,
    hint: 'run it again when they are done',
    retryable: true,
  })
}

async function remove(
  job: PruneJob,
  found: Survey,
  progress: (event: PruneProgress) => void,
  signal: AbortSignal,
): Promise<Removal | 'changed'> {
  try {
    return await withLock(job.repository, 'exclusive', { retryForMs: job.retryLockMs ?? 0 }, signal, (both, lock) =>
      removeUnused(job, found, lock, progress, both),
    )
  } catch (error) {
    if (!isHoldfastError(error, 'locked')) throw error
    throw new HoldfastError('locked', {
      message: `no pack was deleted: ${error.message}`,
      hint: `${error.hint ?? 'run this again'}; what was moved so far is not moved again. --retry-lock waits`,
      retryable: error.retryable,
      cause: error,
      details: error.details,
    })
  }
}

function report(
  { index, snapshots, packs: { sizes, lost, unindexed }, table, actions }: Survey,
  moved: Amount,
  removal: Removal | undefined,
  leftovers: Amount,
): Omit<PruneReport, 'dryRun' | 'unreadableIndexes' | 'durationMs'> {
  const isLost = new Set(lost)
  const packsOf = (action: number): Amount => {
    const numbers = [...actions.keys()].filter((pack) => actions[pack] === action && !isLost.has(pack))
    return { count: numbers.length, bytes: sum(numbers.map((pack) => sizes[pack] ?? 0)) }
  }
  const [kept, removed, repacked] = [packAction.keep, packAction.remove, packAction.repack].map(packsOf) as [
    Amount,
    Amount,
    Amount,
  ]
  const unused = sum(table.unusedBytes)
  const keptUnused = sum(table.unusedBytes.filter((_, pack) => actions[pack] === packAction.keep))
  const ids = [...index.packs()].map(({ id }) => id)
  const residue = removal?.unindexed ?? { count: unindexed.length, bytes: sum(unindexed.map(({ sizeBytes }) => sizeBytes)) }
  const deletedBytes = removal === undefined ? removed.bytes + repacked.bytes : removal.bytes
  return {
    snapshots: snapshots.size,
    used: { count: sum(table.usedBlobs), bytes: sum(table.usedBytes) },
    unused: { count: sum(table.unusedBlobs), bytes: unused },
    keptPacks: kept,
    removedPacks: removed,
    repackedPacks: repacked,
    moved,
    unindexedPacks: residue,
    lostPacks: lost.map((pack) => ids[pack] ?? ''),
    leftovers,
    freedBytes: deletedBytes + residue.bytes + leftovers.bytes - moved.bytes,
    unusedAfterBytes: keptUnused,
    indexesWritten: removal?.indexesWritten ?? 0,
    indexesRemoved: removal?.indexesRemoved ?? 0,
    undecidedPacks: removal?.undecided ?? [],
  }
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}

function refuseVersion1(version: number): void {
  if (version === 2) return
  throw new HoldfastError('unsupported-repository', {
    message: 'this repository has format version 1: it can be read, not written',
    hint: 'upgrade it with `restic migrate upgrade_repo_v2`',
  })
}
