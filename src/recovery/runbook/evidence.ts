/**
 * What was measured, as far as it could be looked into: it stands in a runbook, marked, and is no part of what `runbook check` compares,
 * for it changes with every run.
 */
export interface RunbookEvidence {
  readonly lookedAt: Date
  /** By step: how long it took in past runs of this plan. */
  readonly stepTimes: ReadonlyMap<string, StepTime>
  /** Past recoveries and drills, newest first. */
  readonly recoveries: readonly PastRecovery[]
  /** Places that could not be looked into: what they hold is not counted. */
  readonly unseen: readonly { readonly place: string; readonly because: string }[]
}

export interface StepTime {
  readonly medianMs: number
  readonly longestMs: number
  readonly runs: number
}

export interface PastRecovery {
  readonly time: Date
  readonly mode: 'real' | 'drill'
  /** Absent: its record does not say. */
  readonly form?: 'normal' | 'disaster'
  readonly outcome: 'completed' | 'failed' | 'aborted'
  readonly planHash: string
  readonly rpaMs?: number
  readonly rtaMs?: number
  readonly verdict: 'met' | 'missed' | 'unknown'
  readonly checks: number
  readonly checksFailed: number
  /** Where it is on record. */
  readonly record: { readonly repository: string; readonly seq: number }
}

/** Of the durations of one step, in ms. Undefined for none. */
export function stepTimeOf(durationsMs: readonly number[]): StepTime | undefined {
  const sorted = durationsMs.toSorted((a, b) => a - b)
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  if (low === undefined || high === undefined) return undefined
  return { medianMs: (low + high) / 2, longestMs: sorted.at(-1) ?? high, runs: sorted.length }
}

/** It came back, and something was looked at to say so. */
export function isProof({ outcome, checks, checksFailed }: PastRecovery): boolean {
  return outcome === 'completed' && checks > 0 && checksFailed === 0
}
