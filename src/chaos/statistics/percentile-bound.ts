import { incompleteBeta } from './incomplete-beta.ts'

export interface PercentileBound {
  readonly runs: number
  /** 0 to 1. */
  readonly percentile: number
  readonly confidence: number
  /** The percentile of the runs themselves (nearest rank); absent without runs, and when it is of a run that did not come back. */
  readonly observedMs?: number
  /** The true percentile is at most this, at `confidence`. Absent: there are too few runs to say. */
  readonly atMostMs?: number
  /** How many runs would be needed to say anything, if none of them fails. */
  readonly runsNeeded: number
}

/**
 * An upper bound of a percentile without assuming anything of how durations are distributed: by order statistics (David and Nagaraja,
 * Order Statistics, 7.1). The r-th smallest of n is above the percentile p with probability P(Binomial(n, p) < r). A run that did not come
 * back counts as longer than any other: give Infinity.
 */
export function percentileBound(durationsMs: readonly number[], percentile: number, confidence = 0.95): PercentileBound {
  const sorted = durationsMs.toSorted((a, b) => a - b)
  const runs = sorted.length
  // The largest of n is above it with probability 1 − p^n.
  const runsNeeded = Math.ceil(Number((Math.log(1 - confidence) / Math.log(percentile)).toFixed(9)))
  const observedMs = sorted[Math.max(0, Math.ceil(Number((percentile * runs).toFixed(9))) - 1)]
  const common = {
    runs,
    percentile,
    confidence,
    runsNeeded,
    ...(observedMs === undefined || !Number.isFinite(observedMs) ? {} : { observedMs }),
  }
  for (let rank = 1; rank <= runs; rank++) {
    // P(Binomial(n, p) < r) = 1 − I_p(r, n − r + 1).
    if (1 - incompleteBeta(percentile, rank, runs - rank + 1) < confidence) continue
    const atMostMs = sorted[rank - 1]
    return atMostMs === undefined || !Number.isFinite(atMostMs) ? common : { ...common, atMostMs }
  }
  return common
}
