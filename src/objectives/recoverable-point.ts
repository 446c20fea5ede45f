import type { DataEvidence, LedgerRef, SnapshotFact, WalFact } from './evidence.ts'

/** Why there is no moment to go back to. */
export type PointProblem = 'no-snapshot' | 'only-future-dated' | 'repository-damaged'

/** Why a state is not all that was promised. */
export type PointDoubt = 'incomplete-snapshot' | 'wal-not-archived'

/** A moment that a part of the data can be brought back to. */
export interface RecoverablePoint {
  readonly time: Date
  /** Reached by replaying WAL beyond a snapshot. */
  readonly byWal: boolean
  /** A reason not to trust it fully. */
  readonly doubt?: PointDoubt
  readonly record?: LedgerRef
}

/** The ways back of one part of the data: by the newest snapshot, by WAL, or both. */
export interface RecoverablePoints {
  /** Empty when there is a problem. */
  readonly points: readonly RecoverablePoint[]
  readonly problem?: PointProblem
  /** Of the newest snapshot. */
  readonly sizeBytes?: number
}

/** Looks among what is dated no later than `limit` (ms since 1970). What is dated later is never counted. */
export function recoverablePoints(data: DataEvidence, limit: number): RecoverablePoints {
  const sound = soundSnapshots(data, limit)
  const newest = latest(sound, ({ time }) => time)
  if (!newest) {
    const past = data.snapshots.some(({ time }) => time.getTime() <= limit)
    const problem = past ? 'repository-damaged' : data.snapshots.length > 0 ? 'only-future-dated' : 'no-snapshot'
    return { points: [], problem }
  }
  const bySnapshot: RecoverablePoint = {
    time: newest.time,
    byWal: false,
    ...(data.walDeclared ? { doubt: 'wal-not-archived' } : incompleteness(newest)),
    ...recordOf(newest),
  }
  const wal = latestWal(data, sound, limit)
  return {
    points: wal ? [wal, bySnapshot] : [bySnapshot],
    ...(newest.sizeBytes === undefined ? {} : { sizeBytes: newest.sizeBytes }),
  }
}

/** Snapshots that are dated no later than `limit`, in repositories without known damage. */
export function soundSnapshots({ snapshots }: Pick<DataEvidence, 'snapshots'>, limit: number): SnapshotFact[] {
  return snapshots.filter(({ time, damaged }) => time.getTime() <= limit && damaged !== true)
}

/** WAL is worth something only where it is declared, on a snapshot that is there and sound. */
export function usableWal(
  { walDeclared, wal: facts }: Pick<DataEvidence, 'walDeclared' | 'wal'>,
  sound: readonly SnapshotFact[],
  limit: number,
): { readonly wal: WalFact; readonly base: SnapshotFact }[] {
  if (!walDeclared) return []
  return facts.flatMap((wal) => {
    const base = sound.find(({ repository, snapshot, time }) => {
      return repository === wal.repository && snapshot === wal.from && time <= wal.coveredUntil
    })
    return base && wal.coveredUntil.getTime() <= limit ? [{ wal, base }] : []
  })
}

function latestWal(data: DataEvidence, sound: readonly SnapshotFact[], limit: number): RecoverablePoint | undefined {
  const best = latest(usableWal(data, sound, limit), ({ wal }) => wal.coveredUntil)
  return best && { time: best.wal.coveredUntil, byWal: true, ...incompleteness(best.base), ...recordOf(best.wal) }
}

/** Nothing of a snapshot from which nothing is missing. */
export function incompleteness({ skipped = 0 }: SnapshotFact): Pick<RecoverablePoint, 'doubt'> {
  return skipped > 0 ? { doubt: 'incomplete-snapshot' } : {}
}

function recordOf({ record }: { readonly record?: LedgerRef }): Pick<RecoverablePoint, 'record'> {
  return record ? { record } : {}
}

function latest<Item>(items: readonly Item[], timeOf: (item: Item) => Date): Item | undefined {
  return items.toSorted((a, b) => timeOf(b).getTime() - timeOf(a).getTime())[0]
}
