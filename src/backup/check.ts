import type { Repository } from '../repository/index.ts'
import { checkAreas } from './check/check-areas.ts'
import { checkIndexes } from './check/check-indexes.ts'
import { readPackData } from './check/check-pack-data.ts'
import { checkPackList } from './check/check-pack-list.ts'
import { checkSnapshots } from './check/check-snapshots.ts'
import { checkTrees } from './check/check-trees.ts'
import { findAffected } from './check/find-affected.ts'
import type { CheckProgress, CheckReport } from './check/findings.ts'
import type { CheckState } from './check/state.ts'

const progressEveryMs = 200

export interface CheckRequest {
  readonly repository: Repository
  /** Read every byte too: packs and the objects under `holdfast/`. */
  readonly readData?: boolean
  /** For a repository that cannot be written to. Nothing then keeps another process from deleting what is being checked. */
  readonly noLock?: boolean
}

/**
 * Looks whether everything that a repository promises is there: every index readable, every pack present and of the right size, every tree
 * of every snapshot readable, every blob of every file indexed; with `readData`, every byte authentic.
 *
 * What is wrong is a finding, not an exception; only a storage that fails, or a lock, ends it early. It works under a shared lock beside
 * running backups: snapshots are listed first, then indexes, then packs, so that whatever a listed snapshot needs was there before.
 */
export async function checkRepository(
  { repository, readData = false, noLock = false }: CheckRequest,
  progress: (event: CheckProgress) => void,
  signal: AbortSignal,
): Promise<CheckReport> {
  const startMs = performance.now()
  await using lock = noLock ? undefined : await repository.lock('shared', {}, signal)
  const both = lock ? AbortSignal.any([signal, lock.signal]) : signal
  const snapshotIds = await repository.snapshotIds(both)
  const state: CheckState = {
    repository,
    progress: throttled(progress),
    signal: both,
    findings: [],
    expected: new Map(),
    snapshots: [],
    damage: new Map(),
    damagedPacks: new Map(),
    lost: new Map(),
    index: await repository.refreshIndex(both),
    counts: { indexes: 0, trees: 0, packs: 0, areaObjects: 0, readBytes: 0 },
  }
  await checkIndexes(state)
  const present = await checkPackList(state)
  // Threads read the packs while this one walks the trees.
  await using packs = readData ? readPackData(state, present) : undefined
  const walk = packs === undefined ? state : { ...state, signal: AbortSignal.any([both, packs.failed]) }
  await checkSnapshots(walk, snapshotIds)
  await checkTrees(walk)
  if (packs !== undefined) {
    await packs.finish()
    await checkAreas(state)
  }
  const affected = state.lost.size === 0 ? undefined : await findAffected(state)
  for (const [culprit, finding] of state.damage) {
    const { snapshots = [], paths = [] } = affected?.get(culprit) ?? {}
    state.findings.push(finding({ snapshots: [...snapshots], paths: [...paths] }))
  }
  return {
    depth: readData ? 'data' : 'structure',
    ok: state.findings.every(({ severity }) => severity !== 'error'),
    findings: state.findings,
    snapshots: state.snapshots.length,
    blobs: state.index.size,
    ...state.counts,
    durationMs: performance.now() - startMs,
  }
}

/** A tree takes less than a millisecond: not every one is an event. The beginning and the end of a phase always are. */
function throttled(progress: (event: CheckProgress) => void): (event: CheckProgress) => void {
  let last = { phase: '', atMs: 0 }
  return (event) => {
    const nowMs = performance.now()
    if (event.phase === last.phase && event.done < event.total && nowMs - last.atMs < progressEveryMs) return
    last = { phase: event.phase, atMs: nowMs }
    progress(event)
  }
}
