import type { PlanObservation } from './report.ts'

export type SeenState = PlanObservation['state']

/** One look at everything, by the observer's monotonic clock. */
export interface Look {
  readonly startedMs: number
  readonly endedMs: number
  readonly state: SeenState
}

/** A state that was seen again and again without interruption. */
export interface Hold {
  readonly state: SeenState
  readonly firstStartedMs: number
  readonly firstEndedMs: number
  readonly lastEndedMs: number
  readonly looks: number
}

/** @param gapMs how long may lie between two looks: in a longer gap (a suspended machine) nobody knows what was */
export function holdAfter(previous: Hold | undefined, { startedMs, endedMs, state }: Look, gapMs: number): Hold {
  const goesOn = previous !== undefined && previous.state === state && startedMs - previous.lastEndedMs <= gapMs
  return goesOn
    ? { ...previous, lastEndedMs: endedMs, looks: previous.looks + 1 }
    : { state, firstStartedMs: startedMs, firstEndedMs: endedMs, lastEndedMs: endedMs, looks: 1 }
}
