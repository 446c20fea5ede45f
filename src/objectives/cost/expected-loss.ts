import { seededRandom, type Random } from '../../kernel/index.ts'
import { normal, poisson } from './random.ts'

const hourMs = 3_600_000

/** How long something takes, as far as it is known. */
export interface Durations {
  /** `measured`: what recoveries and drills took. `figure`: one figure, promised or declared. */
  readonly basis: 'measured' | 'figure'
  /** Never empty, never negative. */
  readonly samplesMs: readonly number[]
}

export interface LossModel {
  /** Disasters that are expected in a year; 0.2 is one in five years. */
  readonly outagesPerYear: number
  readonly downtime: Durations
  readonly downtimeCostPerHour: number
  /** How much data, in time, an outage loses; absent: that is not counted. */
  readonly dataLoss?: Durations
  readonly dataLossCostPerHour?: number
}

export interface YearlyLoss {
  /** rate × duration × cost, without any drawing of lots. */
  readonly expected: number
  /** Of the simulated years: by no coincidence near `expected`. */
  readonly mean: number
  /** The loss that 50, 90, 95 and 99 of 100 years stay below. */
  readonly percentiles: { readonly p50: number; readonly p90: number; readonly p95: number; readonly p99: number }
  /** The share of years with at least one outage. */
  readonly yearsWithOutage: number
  readonly years: number
  readonly seed: number
}

/**
 * How far single figures, and fewer than `samplesNeeded` measurements, are spread: log-normally about the figure as their median, with this
 * standard deviation of the logarithm. Two of three then lie between 0.6 and 1.6 times the figure. An assumption, and said with each result.
 */
export const assumedSpread = 0.5

/** So many measurements are drawn from as they are. Fewer say where the middle is, and too little of the spread. */
export const samplesNeeded = 5

/** What a year costs: outages by a Poisson process, each with a duration of its own. The same seed gives the same figures. */
export function yearlyLoss(model: LossModel, { years = 20_000, seed = 1 }: { years?: number; seed?: number } = {}): YearlyLoss {
  const random = seededRandom(seed)
  const losses = new Float64Array(years)
  let withOutage = 0
  for (let year = 0; year < years; year++) {
    const outages = poisson(model.outagesPerYear, random)
    if (outages > 0) withOutage++
    for (let outage = 0; outage < outages; outage++) losses[year] = (losses[year] ?? 0) + outageCost(model, random)
  }
  losses.sort()
  const sum = losses.reduce((total, loss) => total + loss, 0)
  const at = (share: number) => losses[Math.min(years - 1, Math.ceil(share * years) - 1)] ?? 0
  return {
    expected: expectedYearlyLoss(model),
    mean: sum / years,
    percentiles: { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) },
    yearsWithOutage: withOutage / years,
    years,
    seed,
  }
}

/** rate × (mean duration × cost of downtime + mean loss × cost of data). */
export function expectedYearlyLoss(model: LossModel): number {
  const downtime = meanMs(model.downtime) * model.downtimeCostPerHour
  const data = model.dataLoss === undefined ? 0 : meanMs(model.dataLoss) * (model.dataLossCostPerHour ?? 0)
  return (model.outagesPerYear * (downtime + data)) / hourMs
}

/** Of what is drawn: the mean of a log-normal lies above its median by exp(σ²/2). */
export function meanMs({ basis, samplesMs }: Durations): number {
  if (isDrawnFrom({ basis, samplesMs })) return samplesMs.reduce((sum, sample) => sum + sample, 0) / samplesMs.length
  return medianOf(samplesMs) * Math.exp(assumedSpread ** 2 / 2)
}

/** Whether the measurements themselves are drawn from, and no spread is assumed. */
export function isDrawnFrom({ basis, samplesMs }: Durations): boolean {
  return basis === 'measured' && samplesMs.length >= samplesNeeded
}

function outageCost(model: LossModel, random: Random): number {
  const downtime = drawMs(model.downtime, random) * model.downtimeCostPerHour
  const data = model.dataLoss === undefined ? 0 : drawMs(model.dataLoss, random) * (model.dataLossCostPerHour ?? 0)
  return (downtime + data) / hourMs
}

function drawMs(durations: Durations, random: Random): number {
  const { samplesMs } = durations
  if (isDrawnFrom(durations)) return samplesMs[Math.floor(random() * samplesMs.length)] ?? 0
  return medianOf(samplesMs) * Math.exp(assumedSpread * normal(random))
}

function medianOf(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
