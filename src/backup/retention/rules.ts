/** A span of the calendar: a month is as long as the month is. `hours` are exact and may be fractions. */
export interface CalendarSpan {
  readonly years: number
  readonly months: number
  readonly days: number
  readonly hours: number
}

export const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type Period = (typeof periods)[number]

/** Rules that count: of how many of the newest periods that have a snapshot the newest one is kept. */
export type CountRule = 'last' | Period

/**
 * What is kept of a group of snapshots; a snapshot that any rule keeps is kept. A count of 0 is no rule, Infinity keeps one of every period.
 * restic's rules, with its meanings.
 */
export interface KeepRules {
  readonly counts?: { readonly [Rule in CountRule]?: number }
  /** All that are younger than this, counted back from the newest of the group, not from now: a backup that stopped loses nothing. */
  readonly within?: CalendarSpan
  /** The newest of each period, among those that are younger than this. */
  readonly withinPeriod?: { readonly [Rule in Period]?: CalendarSpan }
  /** Those that have all tags of any of these lists. The empty tag stands for having none. */
  readonly tags?: readonly (readonly string[])[]
}

export function isEmptySpan({ years, months, days, hours }: CalendarSpan): boolean {
  return years === 0 && months === 0 && days === 0 && hours === 0
}

/** Whether there is no rule at all: a policy that would keep nothing. */
export function hasNoRule({ counts = {}, within, withinPeriod = {}, tags = [] }: KeepRules): boolean {
  const spans = [within, ...Object.values(withinPeriod)].filter((span) => span !== undefined)
  return Object.values(counts).every((count) => count === 0) && spans.every(isEmptySpan) && tags.length === 0
}
