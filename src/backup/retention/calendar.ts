import type { CalendarSpan, CountRule } from './rules.ts'
import { parseTime, type Nanoseconds } from '../../repository/index.ts'

const fields = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:\d\d)$/
const nsPerMs = 1_000_000n
const msPerHour = 3_600_000

/**
 * Which period a snapshot's time falls into, on the clock and calendar of the zone that it was written in: equal text, equal period.
 * Weeks are those of ISO 8601, in the year that they belong to. `number` is the snapshot's place in its list: for `last`, each is its own.
 */
export function periodOf(rule: CountRule, time: string, number: number): string {
  const day = time.slice(0, 10)
  if (rule === 'last') return String(number)
  if (rule === 'hourly') return time.slice(0, 13)
  if (rule === 'daily') return day
  if (rule === 'weekly') return isoWeek(day)
  return rule === 'monthly' ? time.slice(0, 7) : time.slice(0, 4)
}

/** `2025-W01` of `2024-12-30`. A week belongs to the year that its Thursday is in. */
function isoWeek(day: string): string {
  const thursday = new Date(`${day}T00:00:00Z`)
  const weekday = (thursday.getUTCDay() + 6) % 7
  thursday.setUTCDate(thursday.getUTCDate() - weekday + 3)
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1)
  const week = Math.floor((thursday.getTime() - newYear) / (7 * 24 * msPerHour)) + 1
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`
}

/**
 * The instant a span before a snapshot's time: years, months and days back on the calendar, then hours exactly. As in Go's AddDate, a day
 * that a month lacks runs over into the next month. The calendar is that of the time's own zone: this machine's where the offset is its
 * own at that time (so that a day before a change of the clocks is a day), else the fixed offset.
 */
export function before(time: string, { years, months, days, hours }: CalendarSpan): Nanoseconds {
  const at = parseTime(time) ?? 0n
  const [, year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = (fields.exec(time) ?? []).map(Number)
  const atMs = Number((at - mod(at, nsPerMs)) / nsPerMs)
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second)
  const offsetMs = wallMs - Math.floor(atMs / 1000) * 1000
  const parts = [year - years, month - 1 - months, day - days, hour, minute, second] as const
  const isLocal = -new Date(atMs).getTimezoneOffset() * 60_000 === offsetMs
  const shiftedMs = isLocal ? new Date(...parts).getTime() : Date.UTC(...parts) - offsetMs
  return BigInt(shiftedMs - Math.round(hours * msPerHour)) * nsPerMs + mod(at, 1_000_000_000n)
}

function mod(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by
}
