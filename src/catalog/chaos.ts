export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof weekdays)[number]

/** A time of the day on some days. Times as `HH:MM`; one that ends no later than it begins ends on the next day. */
export interface TimeRange {
  /** Absent: every day. */
  readonly days?: readonly Weekday[]
  readonly from: string
  readonly to: string
}

/** What experiments may not touch. */
export interface Exclusion {
  readonly services: readonly string[]
  /** Of Kubernetes objects: carrying one is enough. */
  readonly labels: Readonly<Record<string, string>>
}

/** Rules for all experiments of a catalog. */
export interface ChaosRules {
  /** As the IANA database calls it. */
  readonly timeZone: string
  readonly peak?: readonly TimeRange[]
  readonly windows?: readonly TimeRange[]
  readonly exclude: Exclusion
}
