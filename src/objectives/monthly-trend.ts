import { isFailure, isProof } from './proof.ts'
import type { RecoveryFact } from './evidence.ts'

/** A run with what it achieved; durations in ms. */
export interface AchievedRun extends Pick<RecoveryFact, 'time' | 'outcome' | 'checks' | 'checksFailed' | 'rtaMs'> {
  readonly rpaMs?: number
}

/** What recoveries and drills of a calendar month achieved, in UTC. */
export interface TrendMonth {
  /** `2026-05`. */
  readonly month: string
  readonly runs: number
  /** Came to their end, and what came back was compared and found right: only these have figures. */
  readonly proven: number
  readonly failed: number
  /** The worst of the month; absent: nothing was measured. */
  readonly rtaMs?: number
  readonly rpaMs?: number
}

/**
 * Month by month from the one that `from` is in to the one before `to` (also in part), those without a run too: that nothing was tried is the finding. Runs outside
 * are left out.
 */
export function monthlyTrend(
  runs: readonly AchievedRun[],
  { from, to }: { readonly from: Date; readonly to: Date },
): TrendMonth[] {
  const within = runs.filter(({ time }) => time >= from && time < to)
  const byMonth = Map.groupBy(within, ({ time }) => monthOf(time))
  const months: TrendMonth[] = []
  for (let start = startOfMonth(from, 0); start < to; start = startOfMonth(start, 1)) {
    const all = byMonth.get(monthOf(start)) ?? []
    const proven = all.filter(isProof)
    const [rtaMs, rpaMs] = [worst(proven, 'rtaMs'), worst(proven, 'rpaMs')]
    months.push({
      month: monthOf(start),
      runs: all.length,
      proven: proven.length,
      failed: all.filter(isFailure).length,
      ...(rtaMs === undefined ? {} : { rtaMs }),
      ...(rpaMs === undefined ? {} : { rpaMs }),
    })
  }
  return months
}

/** The first moment of the month `months` after that of `time`. */
export function startOfMonth(time: Date, months: number): Date {
  return new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + months))
}

function monthOf(time: Date): string {
  return time.toISOString().slice(0, 7)
}

function worst(runs: readonly AchievedRun[], figure: 'rtaMs' | 'rpaMs'): number | undefined {
  const known = runs.flatMap((run) => run[figure] ?? [])
  return known.length === 0 ? undefined : Math.max(...known)
}
