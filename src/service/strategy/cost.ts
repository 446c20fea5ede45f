import { findService, type Catalog, type Service } from '../../catalog/index.ts'
import {
  isDrawnFrom,
  meets,
  strategyCosts,
  yearlyLoss,
  type Durations,
  type LossModel,
  type StrategyCost,
  type YearlyLoss,
} from '../../objectives/index.ts'
import { measuredTimes, type MeasuredTimes } from './measured-times.ts'

/** What is changed for a what-if. Durations in ms. */
export interface WhatIf {
  readonly rtoMs?: number
  readonly rpoMs?: number
  readonly outagesPerYear?: number
  readonly downtimeCostPerHour?: number
  readonly dataLossCostPerHour?: number
}

/** Where the durations of the present come from: real recoveries and drills, what the chosen strategy promises, or the objective itself. */
export type CostBasis = 'measured' | 'strategy' | 'objective'

export interface PresentLoss {
  readonly basis: CostBasis
  /** Measured: how many recoveries and drills. */
  readonly n?: number
  /** The spread is an assumption, not measured. */
  readonly spreadAssumed: boolean
  readonly downtimeMs: readonly number[]
  readonly loss: YearlyLoss
}

/** What a service's disasters cost, and what would pay off. */
export interface ServiceCost {
  readonly service: string
  readonly currency: string
  /** Figures that nobody stated; the rest is then absent: nothing is made up. */
  readonly lacking: readonly ('downtimeCostPerHour' | 'outagesPerYear')[]
  /** What the present rests on: as the catalog states it, or as it was set where that states nothing. */
  readonly outagesPerYear?: number
  readonly downtimeCostPerHour?: number
  readonly dataLossCostPerHour?: number
  readonly present?: PresentLoss
  readonly whatIf?: { readonly set: WhatIf; readonly loss: YearlyLoss; readonly savedPerYear: number }
  readonly strategies: readonly (StrategyCost & { readonly meetsObjectives: boolean; readonly chosen: boolean })[]
  /** The one with the least in all that meets the objectives; absent when none does. */
  readonly cheapestInAll?: string
  readonly unseen: MeasuredTimes['unseen']
}

export interface CostQuestion {
  readonly services: readonly string[]
  readonly whatIf?: WhatIf
  readonly years?: number
  readonly seed?: number
}

/** Throws `unknown-service`. */
export async function serviceCosts(catalog: Catalog, question: CostQuestion, signal: AbortSignal): Promise<ServiceCost[]> {
  const services = question.services.map((name) => findService(catalog, name))
  const measured = await measuredTimes(catalog, services, signal)
  return services.map((service) => serviceCost(catalog, service, measured, question))
}

function serviceCost(catalog: Catalog, service: Service, measured: MeasuredTimes, question: CostQuestion): ServiceCost {
  const { whatIf, years, seed } = question
  const simulation = { ...(years === undefined ? {} : { years }), ...(seed === undefined ? {} : { seed }) }
  const downtimeCostPerHour = whatIf?.downtimeCostPerHour ?? service.downtimeCostPerHour
  const outagesPerYear = whatIf?.outagesPerYear ?? service.outagesPerYear
  const dataLossCostPerHour = whatIf?.dataLossCostPerHour ?? service.dataLossCostPerHour
  const head = { service: service.name, currency: catalog.currency, unseen: measured.unseen }
  if (downtimeCostPerHour === undefined || outagesPerYear === undefined) {
    const lacking = [
      ...(downtimeCostPerHour === undefined ? (['downtimeCostPerHour'] as const) : []),
      ...(outagesPerYear === undefined ? (['outagesPerYear'] as const) : []),
    ]
    return { ...head, lacking, strategies: [] }
  }
  const happening = {
    outagesPerYear,
    downtimeCostPerHour,
    ...(dataLossCostPerHour === undefined ? {} : { dataLossCostPerHour }),
  }
  const present = presentTimes(catalog, service, measured)
  // What is asked about does not change what is: only where nothing was stated does it stand in.
  const statedDataLoss = service.dataLossCostPerHour ?? dataLossCostPerHour
  const stated = {
    outagesPerYear: service.outagesPerYear ?? outagesPerYear,
    downtimeCostPerHour: service.downtimeCostPerHour ?? downtimeCostPerHour,
    ...(statedDataLoss === undefined ? {} : { dataLossCostPerHour: statedDataLoss }),
  }
  const model = { ...stated, downtime: present.downtime, dataLoss: present.dataLoss }
  const loss = yearlyLoss(model, simulation)
  const strategies = strategyCosts(catalog.strategies, happening, simulation).map((cost) => ({
    ...cost,
    meetsObjectives: meets(cost.strategy, service.objectives),
    chosen: cost.strategy.name === service.strategy,
  }))
  const [cheapest] = strategies
    .filter(({ meetsObjectives }) => meetsObjectives)
    .toSorted((a, b) => a.totalPerYear - b.totalPerYear)
  return {
    ...head,
    lacking: [],
    ...stated,
    present: {
      basis: present.basis,
      ...(present.basis === 'measured' ? { n: present.downtime.samplesMs.length } : {}),
      spreadAssumed: !isDrawnFrom(present.downtime),
      downtimeMs: present.downtime.samplesMs,
      loss,
    },
    ...(whatIf === undefined ? {} : { whatIf: changed({ ...model, ...happening }, whatIf, loss, simulation) }),
    strategies,
    ...(cheapest ? { cheapestInAll: cheapest.strategy.name } : {}),
  }
}

function changed(model: LossModel, set: WhatIf, before: YearlyLoss, simulation: { years?: number; seed?: number }) {
  const figure = (ms: number): Durations => ({ basis: 'figure', samplesMs: [ms] })
  const loss = yearlyLoss(
    {
      ...model,
      ...(set.rtoMs === undefined ? {} : { downtime: figure(set.rtoMs) }),
      ...(set.rpoMs === undefined ? {} : { dataLoss: figure(set.rpoMs) }),
    },
    simulation,
  )
  return { set, loss, savedPerYear: before.expected - loss.expected }
}

/** What was measured counts before what is promised, and that before what is only wished for. */
function presentTimes(catalog: Catalog, service: Service, measured: MeasuredTimes) {
  const times = measured.of(service.name)
  const promise = catalog.strategies.find(({ name }) => name === service.strategy)
  const figures = promise ?? service.objectives
  const known = (samplesMs: readonly number[], figureMs: number): Durations =>
    samplesMs.length > 0 ? { basis: 'measured', samplesMs } : { basis: 'figure', samplesMs: [figureMs] }
  const basis: CostBasis = times.rtaMs.length > 0 ? 'measured' : promise === undefined ? 'objective' : 'strategy'
  return { basis, downtime: known(times.rtaMs, figures.rtoMs), dataLoss: known(times.rpaMs, figures.rpoMs) }
}
