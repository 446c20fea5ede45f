import { weekdays, type TimeRange } from '../../catalog/index.ts'

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
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  for (let afterMs = 0; ; afterMs = Math.min(afterMs + minuteMs, limitMs)) {
    const at = wallTime(format, new Date(now.getTime() + afterMs))
    const when = afterMs === 0 ? 'it is' : 'it may still run at'
    const busy = peak.find((range) => holds(range, at))
    if (busy !== undefined) return `${when} ${at.text} ${timeZone}, in the peak ${rangeText(busy)}`
    const missed = windows.find((ranges) => !ranges.some((range) => holds(range, at)))
    if (missed !== undefined) return `${when} ${at.text} ${timeZone}, outside ${missed.map(rangeText).join(' and ')}`
    if (afterMs >= limitMs) return undefined
  }
}

interface WallTime {
  /** 0 is Monday. */
  readonly day: number
  readonly minute: number
  readonly text: string
}

function wallTime(format: Intl.DateTimeFormat, at: Date): WallTime {
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  const { weekday = '', hour = '', minute = '' } = parts
  const day = weekdays.findIndex((name) => name === weekday.toLowerCase())
  return { day, minute: Number(hour) * 60 + Number(minute), text: `${weekday} ${hour}:${minute}` }
}

function holds({ days = weekdays, from, to }: TimeRange, { day, minute }: WallTime): boolean {
  const [begins, ends] = [minutesOf(from), minutesOf(to)]
  const on = (index: number) => days.includes(weekdays[(index + weekdays.length) % weekdays.length] ?? 'mon')
  if (begins < ends) return on(day) && begins <= minute && minute < ends
  // It ends on the next day.
  return (on(day) && begins <= minute) || (on(day - 1) && minute < ends)
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}

function rangeText({ days, from, to }: TimeRange): string {
  return `${days === undefined ? 'daily' : days.join(', ')} ${from}–${to}`
}
