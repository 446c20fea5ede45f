import { isWithin, rangeText, wallClock, type TimeRange } from '../../catalog/index.ts'

const minuteMs = 60_000

/** When nothing is broken, and when only something may be. */
export interface Times {
  readonly timeZone: string
  readonly peak?: readonly TimeRange[] | undefined
  /** Each of these lists must hold the moment. */
  readonly windows: readonly (readonly TimeRange[])[]
}

/**
 * Why nothing may be broken from `now` until `limitMs` later: a moment of that is in a peak, or outside a window. Looked at for each minute, by
 * the wall clock of the zone, so that a day with 23 or 25 hours is none of ours to work out. Undefined when nothing speaks against it.
 */
export function wrongTime({ timeZone, peak = [], windows }: Times, now: Date, limitMs: number): string | undefined {
  const clock = wallClock(timeZone)
  for (let afterMs = 0; ; afterMs = Math.min(afterMs + minuteMs, limitMs)) {
    const at = clock(new Date(now.getTime() + afterMs))
    const when = afterMs === 0 ? 'it is' : 'it may still run at'
    const busy = peak.find((range) => isWithin(range, at))
    if (busy !== undefined) return `${when} ${at.text} ${timeZone}, in the peak ${rangeText(busy)}`
    const missed = windows.find((ranges) => !ranges.some((range) => isWithin(range, at)))
    if (missed !== undefined) return `${when} ${at.text} ${timeZone}, outside ${missed.map(rangeText).join(' and ')}`
    if (afterMs >= limitMs) return undefined
  }
}
