import { parseDuration } from '../kernel/index.ts'
import type { Attempt } from './contract.ts'

/** Of the step's time, so that an action can still say how it stood before the step itself times out. */
const share = 0.8

/** For how long, in milliseconds, an attempt may wait: as the parameter says, and at most most of the step's time. */
export function limitMs(within: string, { timeoutMs = Number.POSITIVE_INFINITY }: Pick<Attempt, 'timeoutMs'>): number {
  return Math.min(parseDuration(within), timeoutMs * share)
}
