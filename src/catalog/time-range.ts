import { weekdays, type TimeRange } from './chaos.ts'

const weekMinutes = 7 * 1440

/** A moment as a clock on the wall shows it. */
export interface WallTime {
  /** 0 is Monday. */
  readonly day: number
  readonly minute: number
  readonly text: string
}

/** Reads the clock of a time zone: so that a day with 23 or 25 hours is none of ours to work out. */
export function wallClock(timeZone: string): (at: Date) => WallTime {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
    const { weekday = '', hour = '', minute = '' } = parts
    const day = weekdays.findIndex((name) => name === weekday.toLowerCase())
    return { day, minute: Number(hour) * 60 + Number(minute), text: `${weekday} ${hour}:${minute}` }
  }
}

export function isWithin({ days = weekdays, from, to }: TimeRange, { day, minute }: Omit<WallTime, 'text'>): boolean {
  const [begins, ends] = [minutesOf(from), minutesOf(to)]
  const on = (index: number) => days.includes(weekdays[(index + weekdays.length) % weekdays.length] ?? 'mon')
  if (begins < ends) return on(day) && begins <= minute && minute < ends
  // It ends on the next day.
  return (on(day) && begins <= minute) || (on(day - 1) && minute < ends)
}

/** The longest that it goes on without a break, in minutes of a week whose days have 24 hours; Infinity where it never ends. */
export function longestMinutes({ days = weekdays, from, to }: TimeRange): number {
  if (from !== to) return (minutesOf(to) - minutesOf(from) + 1440) % 1440
  // It ends when it begins again: days that follow on each other are one time, also over the end of the week.
  if (weekdays.every((day) => days.includes(day))) return Infinity
  let [longest, current] = [0, 0]
  for (const day of [...weekdays, ...weekdays]) {
    current = days.includes(day) ? current + 1 : 0
    longest = Math.max(longest, current)
  }
  return longest * 1440
}

/** The longest time, in minutes of a week whose days have 24 hours, that none of several goes on; 0 where there is always one. */
export function longestBreakMinutes(ranges: readonly TimeRange[]): number {
  let [longest, current] = [0, 0]
  // Twice, for a break that goes over the end of the week.
  for (let at = 0; at < 2 * weekMinutes; at++) {
    const time = { day: Math.floor(at / 1440) % 7, minute: at % 1440 }
    current = ranges.some((range) => isWithin(range, time)) ? 0 : current + 1
    longest = Math.max(longest, current)
  }
  return Math.min(longest, weekMinutes)
}

export function rangeText({ days, from, to }: TimeRange): string {
  return `${days === undefined ? 'daily' : days.join(', ')} ${from}–${to}`
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}
