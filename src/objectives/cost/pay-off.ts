import type { Strategy } from '../../catalog/index.ts'
import { expectedYearlyLoss, yearlyLoss, type LossModel, type YearlyLoss } from './expected-loss.ts'

/** What a service costs in a year with a strategy: having it, and what is lost in spite of it. */
export interface StrategyCost {
  readonly strategy: Strategy
  readonly costPerYear: number
  readonly loss: YearlyLoss
  /** `costPerYear` and the expected loss. */
  readonly totalPerYear: number
  /**
   * Compared with the next cheaper strategy: the cost of downtime per hour above which this one is the cheaper of the two in all. Absent for
   * the cheapest, and where this one is no faster or nothing is expected to happen.
   */
  readonly paysAbove?: number
}

export interface Happening {
  readonly outagesPerYear: number
  readonly downtimeCostPerHour: number
  readonly dataLossCostPerHour?: number
}

/** Each strategy with what it promises, the cheapest to have first. `years` and `seed` are of the simulation. */
export function strategyCosts(
  strategies: readonly Strategy[],
  happening: Happening,
  options: { readonly years?: number; readonly seed?: number } = {},
): StrategyCost[] {
  const ordered = strategies.toSorted((a, b) => a.costPerMonth - b.costPerMonth)
  return ordered.map((strategy, index) => {
    const model = promised(strategy, happening)
    const loss = yearlyLoss(model, options)
    const costPerYear = strategy.costPerMonth * 12
    const cheaper = ordered[index - 1]
    const paysAbove = cheaper && breakEven(cheaper, strategy, happening)
    return {
      strategy,
      costPerYear,
      loss,
      totalPerYear: costPerYear + loss.expected,
      ...(paysAbove === undefined ? {} : { paysAbove }),
    }
  })
}

/** A strategy's promise as what an outage takes and loses. */
export function promised(strategy: Strategy, { dataLossCostPerHour, ...happening }: Happening): LossModel {
  return {
    ...happening,
    downtime: { basis: 'figure', samplesMs: [strategy.rtoMs] },
    ...(dataLossCostPerHour === undefined
      ? {}
      : { dataLossCostPerHour, dataLoss: { basis: 'figure' as const, samplesMs: [strategy.rpoMs] } }),
  }
}

/** Where the dearer strategy's price is what it saves: both losses are linear in the cost of downtime. */
function breakEven(cheaper: Strategy, dearer: Strategy, happening: Happening): number | undefined {
  const at = (strategy: Strategy, downtimeCostPerHour: number) =>
    strategy.costPerMonth * 12 + expectedYearlyLoss(promised(strategy, { ...happening, downtimeCostPerHour }))
  const savedPerUnit = at(cheaper, 1) - at(cheaper, 0) - (at(dearer, 1) - at(dearer, 0))
  if (!(savedPerUnit > 0)) return undefined
  return Math.max(0, (at(dearer, 0) - at(cheaper, 0)) / savedPerUnit)
}
