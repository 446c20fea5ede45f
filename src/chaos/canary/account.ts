import { formatDuration } from '../../kernel/index.ts'

/** One row that was written, in the order of their numbers. Times are of one monotonic clock. */
export interface WrittenRow {
  readonly seq: number
  readonly sentMs: number
  /** When it was acknowledged. Absent: nobody knows whether it was written. */
  readonly ackedMs?: number
}

/** What became of the rows that a canary wrote. */
export interface CanaryEvidence {
  readonly written: number
  readonly acknowledged: number
  /** Rows that were there at the end, acknowledged or not. */
  readonly surviving: number
  /** Acknowledged, and not there at the end. */
  readonly lost: number
  /** Of the longest stretch of rows that were lost: the last that was acknowledged, and the last before it that survived. */
  readonly lastAcknowledged?: number
  readonly lastSurviving?: number
  /**
   * Recovery point actual: from when the last surviving row before that stretch was sent until its last row was acknowledged. Never less
   * than what was really lost, unless nothing survived before it: then it was at least this. 0: nothing was lost. Absent: nobody knows.
   */
  readonly rpaMs?: number
  /** Why nobody knows. */
  readonly unknown?: string
}

/** The first thing that was broken: what was not being written by then cannot have been lost by it. */
export interface Broken {
  readonly atMs: number
  /** A row must have been acknowledged that shortly before. */
  readonly withinMs: number
}

function isShortlyBefore(ms: number, { atMs, withinMs }: Broken): boolean {
  return ms <= atMs && ms >= atMs - withinMs
}

/**
 * Holds what was written against what is there. A row that was not acknowledged may or may not be there: it counts neither way. Rows that
 * were written after a loss say nothing against it.
 *
 * @param began when the canary did: all before its first row that survived counts as lost when the first rows are
 * @param broken absent: nothing was
 */
export function accountFor(
  rows: readonly WrittenRow[],
  surviving: ReadonlySet<number>,
  began: number,
  broken?: Broken,
): CanaryEvidence {
  const acknowledged = rows.filter(({ ackedMs }) => ackedMs !== undefined)
  const counts = { written: rows.length, acknowledged: acknowledged.length, surviving: surviving.size }
  const lost = acknowledged.filter(({ seq }) => !surviving.has(seq)).length
  if (acknowledged.length === 0) return { ...counts, lost, unknown: 'no row was acknowledged' }
  if (broken !== undefined && !acknowledged.some(({ ackedMs = 0 }) => isShortlyBefore(ackedMs, broken))) {
    const within = formatDuration(broken.withinMs)
    return { ...counts, lost, unknown: `no row was acknowledged in the last ${within} before something was broken` }
  }
  let rpaMs = 0
  let worst: Pick<CanaryEvidence, 'lastAcknowledged' | 'lastSurviving'> = {}
  let last: WrittenRow | undefined
  for (const row of rows) {
    if (surviving.has(row.seq)) {
      last = row
      continue
    }
    if (row.ackedMs === undefined) continue
    const lostMs = row.ackedMs - (last?.sentMs ?? began)
    if (lostMs < rpaMs) continue
    rpaMs = lostMs
    worst = { lastAcknowledged: row.seq, ...(last === undefined ? {} : { lastSurviving: last.seq }) }
  }
  return { ...counts, lost, ...worst, rpaMs }
}
