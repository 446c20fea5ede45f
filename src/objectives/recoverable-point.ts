import type { DataEvidence, LedgerRef, SnapshotFact, WalFact } from './evidence.ts'

/** Why there is no moment to go back to. */
export type PointProblem = 'no-snapshot' | 'only-future-dated' | 'repository-damaged'

/** The newest moment that a part of the data can be brought back to. */
export interface RecoverablePoint {
  readonly time: Date | undefined
  readonly problem?: PointProblem
  /** Reached by replaying WAL beyond the snapshot. */
  readonly byWal: boolean
  /** A reason not to trust it fully. */
  readonly doubt?: 'incomplete-snapshot' | 'wal-not-archived'
  readonly sizeBytes?: number
  readonly record?: LedgerRef
}

/** Looks for it among what is dated no later than `limit` (ms since 1970). What is dated later is never counted. */
export function recoverablePoint(data: DataEvidence, limit: number): RecoverablePoint {
  const past = data.snapshots.filter(({ time }) => time.getTime() <= limit)
  const sound = past.filter(({ damaged }) => damaged !== true)
  const newest = latest(sound, ({ time }) => time)
  if (!newest) {
    const problem = past.length > 0 ? 'repository-damaged' : data.snapshots.length > 0 ? 'only-future-dated' : 'no-snapshot'
    return { time: undefined, problem, byWal: false }
  }
  const wal = latest(
    data.wal.filter((fact) => data.walDeclared && reachesOn(fact, sound, limit)),
    ({ coveredUntil }) => coveredUntil,
  )
  const size = newest.sizeBytes === undefined ? {} : { sizeBytes: newest.sizeBytes }
  if (wal && wal.coveredUntil >= newest.time)
    return { time: wal.coveredUntil, byWal: true, ...doubtOf(sound, wal), ...size, ...recordOf(wal) }
  const doubt = data.walDeclared ? { doubt: 'wal-not-archived' as const } : (newest.skipped ?? 0) > 0 ? incomplete : {}
  return { time: newest.time, byWal: false, ...doubt, ...size, ...recordOf(newest) }
}

const incomplete = { doubt: 'incomplete-snapshot' } as const

/** WAL is worth something only on a snapshot that is there and sound. */
function reachesOn(wal: WalFact, sound: readonly SnapshotFact[], limit: number): boolean {
  if (wal.coveredUntil.getTime() > limit) return false
  return sound.some(({ repository, snapshot, time }) => {
    return repository === wal.repository && snapshot === wal.from && time <= wal.coveredUntil
  })
}

function doubtOf(sound: readonly SnapshotFact[], wal: WalFact): { doubt?: 'incomplete-snapshot' } {
  const base = sound.find(({ repository, snapshot }) => repository === wal.repository && snapshot === wal.from)
  return (base?.skipped ?? 0) > 0 ? incomplete : {}
}

function recordOf({ record }: { readonly record?: LedgerRef }): { record?: LedgerRef } {
  return record ? { record } : {}
}

function latest<Item>(items: readonly Item[], timeOf: (item: Item) => Date): Item | undefined {
  return items.toSorted((a, b) => timeOf(b).getTime() - timeOf(a).getTime())[0]
}
