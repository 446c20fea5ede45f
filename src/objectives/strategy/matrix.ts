import type { Strategy } from '../../catalog/index.ts'
import { recommendStrategy } from './recommend.ts'

/** A service by its declared objectives. */
export interface PlacedService {
  readonly service: string
  readonly rpoMs: number
  readonly rtoMs: number
}

/** What an RPO of at most `rpoMs` with an RTO of at most `rtoMs` takes. */
export interface MatrixCell {
  readonly rpoMs: number
  readonly rtoMs: number
  /** The cheapest that meets both; absent: none does. */
  readonly strategy?: Strategy
  /** Services whose objectives fall into this cell, by name. */
  readonly services: readonly string[]
}

export interface StrategyMatrix {
  /** Of the columns, the strictest first. */
  readonly rpoMs: readonly number[]
  /** Of the rows, the strictest first. */
  readonly rtoMs: readonly number[]
  /** As `rows[rto][rpo]`. */
  readonly rows: readonly (readonly MatrixCell[])[]
  /** Stricter than the first row or column: no strategy meets them. */
  readonly outside: readonly string[]
}

/**
 * RPO × RTO. The steps of both scales are what the strategies promise, so that within a cell the answer does not change: a service stands
 * where the scales' step is at most its objective.
 */
export function strategyMatrix(strategies: readonly Strategy[], services: readonly PlacedService[]): StrategyMatrix {
  const rpoScale = scale(strategies.map(({ rpoMs }) => rpoMs))
  const rtoScale = scale(strategies.map(({ rtoMs }) => rtoMs))
  const placed = services.map((entry) => ({ ...entry, rpo: stepOf(rpoScale, entry.rpoMs), rto: stepOf(rtoScale, entry.rtoMs) }))
  const rows = rtoScale.map((rtoMs, rto) =>
    rpoScale.map((rpoMs, rpo): MatrixCell => {
      const { recommended } = recommendStrategy(strategies, { rpoMs, rtoMs })
      const inside = placed.filter((entry) => entry.rpo === rpo && entry.rto === rto).map(({ service }) => service)
      return { rpoMs, rtoMs, ...(recommended ? { strategy: recommended } : {}), services: inside.toSorted() }
    }),
  )
  const outside = placed.filter(({ rpo, rto }) => rpo < 0 || rto < 0).map(({ service }) => service)
  return { rpoMs: rpoScale, rtoMs: rtoScale, rows, outside: outside.toSorted() }
}

function scale(values: readonly number[]): number[] {
  return [...new Set(values)].toSorted((a, b) => a - b)
}

/** -1 when all steps are above the value. */
function stepOf(steps: readonly number[], value: number): number {
  return steps.findLastIndex((step) => step <= value)
}
