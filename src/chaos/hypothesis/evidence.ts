import type { Json } from '../../kernel/index.ts'

/** What one probe saw in one look. */
export interface ProbeResult {
  readonly probe: string
  /** Absent when there was nothing to see: `because` says why. */
  readonly value?: Json
  /** Of a tolerance that is judged for each look: whether it was met. Absent for one that is judged over a window. */
  readonly met?: boolean
  /** Of a rate: whether this look counts for it. */
  readonly counts?: boolean
  readonly latencyMs: number
  readonly because?: string
}

/** One slot of a fixed cadence: what was seen, or why nothing was. Times are of one monotonic clock. */
export type Sample =
  | {
      readonly slot: number
      readonly dueMs: number
      readonly startedMs: number
      readonly endedMs: number
      readonly results: readonly ProbeResult[]
    }
  | { readonly slot: number; readonly dueMs: number; readonly missed: string }

/**
 * All that was seen in one phase. `slots` is how many samples the cadence gives for the phase's length, seen or not: what is not among
 * `samples` was not seen, which is a breach.
 */
export interface PhaseEvidence {
  readonly startedMs: number
  readonly endedMs: number
  readonly everyMs: number
  readonly slots: number
  readonly samples: readonly Sample[]
}
