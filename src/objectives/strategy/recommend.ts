import type { Strategy } from '../../catalog/index.ts'

/** What is asked of a strategy; absent members are not asked. */
export interface WantedObjectives {
  readonly rpoMs?: number
  readonly rtoMs?: number
}

/** A strategy that does not do, and by how much. */
export interface Rejected {
  readonly strategy: Strategy
  /** By how much more data than allowed it may lose. */
  readonly rpoExcessMs?: number
  /** By how much longer than allowed it may take. */
  readonly rtoExcessMs?: number
}

export interface Recommendation {
  readonly wanted: WantedObjectives
  /** The cheapest of `eligible`; absent when there is none. */
  readonly recommended?: Strategy
  /** All that meet every objective, the cheapest first. */
  readonly eligible: readonly Strategy[]
  readonly rejected: readonly Rejected[]
  /** When none is eligible: the one that misses by the least time in all; of equal ones the cheapest. */
  readonly nearest?: Rejected
}

/**
 * The cheapest strategy that meets both objectives. Both count: RPO 15 min with RTO 30 min is hot standby with the usual figures, and not
 * warm standby, whose 15 min of RPO fits and whose 60 min of RTO does not.
 */
export function recommendStrategy(strategies: readonly Strategy[], wanted: WantedObjectives): Recommendation {
  const judged = strategies.map((strategy) => rejection(strategy, wanted))
  const eligible = strategies.filter((_, index) => !isRejected(judged[index])).toSorted(cheapestFirst)
  const rejected = judged.filter(isRejected)
  const [recommended] = eligible
  const [nearest] = rejected.toSorted((a, b) => excess(a) - excess(b) || cheapestFirst(a.strategy, b.strategy))
  return {
    wanted,
    eligible,
    rejected,
    ...(recommended ? { recommended } : nearest ? { nearest } : {}),
  }
}

/** Whether a strategy promises what is asked of it. */
export function meets(strategy: Strategy, wanted: WantedObjectives): boolean {
  return !isRejected(rejection(strategy, wanted))
}

function rejection(strategy: Strategy, { rpoMs = Infinity, rtoMs = Infinity }: WantedObjectives): Rejected {
  return {
    strategy,
    ...(strategy.rpoMs > rpoMs ? { rpoExcessMs: strategy.rpoMs - rpoMs } : {}),
    ...(strategy.rtoMs > rtoMs ? { rtoExcessMs: strategy.rtoMs - rtoMs } : {}),
  }
}

function isRejected(judged: Rejected | undefined): judged is Rejected {
  return judged?.rpoExcessMs !== undefined || judged?.rtoExcessMs !== undefined
}

function excess({ rpoExcessMs = 0, rtoExcessMs = 0 }: Rejected): number {
  return rpoExcessMs + rtoExcessMs
}

function cheapestFirst(a: Strategy, b: Strategy): number {
  return a.costPerMonth - b.costPerMonth || a.rtoMs - b.rtoMs || a.rpoMs - b.rpoMs || (a.name < b.name ? -1 : 1)
}
