import { incompleteBeta } from './incomplete-beta.ts'

export interface PassRate {
  readonly runs: number
  readonly passed: number
  /** 0 to 1; absent without runs. */
  readonly rate?: number
  /** Between these the true rate lies, at `confidence` (0 to 1). Without runs it may be anything: 0 to 1. */
  readonly lower: number
  readonly upper: number
  readonly confidence: number
}

/**
 * How often it passes, and what n runs say about that: the exact interval of Clopper and Pearson (Biometrika 26, 1934). It is never too
 * narrow. With only passes or only failures all of the doubt is on one side, so that the bound there is one-sided: with no failure in n
 * runs the failure rate is below 1 − (1 − confidence)^(1/n), about 3/n at 95 %.
 */
export function passRate(passed: number, runs: number, confidence = 0.95): PassRate {
  if (!Number.isInteger(passed) || !Number.isInteger(runs) || passed < 0 || passed > runs) {
    throw new RangeError(`${passed} of ${runs} runs cannot have passed`)
  }
  const doubt = 1 - confidence
  if (runs === 0) return { runs, passed, lower: 0, upper: 1, confidence }
  const common = { runs, passed, rate: passed / runs, confidence }
  if (passed === runs) return { ...common, lower: doubt ** (1 / runs), upper: 1 }
  if (passed === 0) return { ...common, lower: 0, upper: 1 - doubt ** (1 / runs) }
  const lower = solve((p) => incompleteBeta(p, passed, runs - passed + 1), doubt / 2)
  const upper = solve((p) => incompleteBeta(p, passed + 1, runs - passed), 1 - doubt / 2)
  return { ...common, lower, upper }
}

/** Where a growing function from 0 to 1 is `wanted`. */
function solve(growing: (p: number) => number, wanted: number): number {
  let [low, high] = [0, 1]
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2
    if (growing(middle) < wanted) low = middle
    else high = middle
  }
  return (low + high) / 2
}
