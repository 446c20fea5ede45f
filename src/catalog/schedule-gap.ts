import type { Schedule } from './types.ts'

const dayMs = 86_400_000
/** Over so many days every day of the month meets every weekday, leap days among them. */
const days = 28 * 366

/**
 * The longest time between two runs of a schedule, in ms; days have 24 hours here. Undefined when it never runs, or only once in the 28 years that are
 * looked at.
 */
export function longestGapMs(schedule: Schedule): number | undefined {
  if (schedule.kind === 'every') return schedule.everyMs
  const { times, matches } = readCron(schedule.cron)
  const [first, last] = [times[0], times.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const within = Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] ?? 0)))
  let longest: number | undefined
  let before: number | undefined
  for (let day = 0; day < days; day++) {
    if (!matches(new Date(day * dayMs))) continue
    if (before !== undefined) longest = Math.max(longest ?? within, (day - before) * dayMs + first - last)
    before = day
  }
  return longest
}

/**
 * How close a run of one schedule comes to one of the other, in ms. Nobody knows when a schedule of kind `every` began: it counts as far off as it may
 * be. Undefined when one of them does not run within a year.
 */
export function closestRunsMs(a: Schedule, b: Schedule): number | undefined {
  if (a.kind === 'every' || b.kind === 'every') {
    const every = [a, b].flatMap((schedule) => (schedule.kind === 'every' ? [schedule.everyMs] : []))
    return Math.min(...every) / 2
  }
  const [first, second] = [runsInYear(a.cron), runsInYear(b.cron)]
  let closest: number | undefined
  let index = 0
  for (const time of first) {
    while ((second[index + 1] ?? Infinity) <= time) index++
    for (const near of second.slice(index, index + 2)) closest = Math.min(closest ?? Infinity, Math.abs(time - near))
    if (closest === 0) break
  }
  return closest
}

/** When a cron expression runs in the year 1970, in ms since its beginning and in rising order. */
export function runsInYear(cron: string): number[] {
  const { times, matches } = readCron(cron)
  return Array.from({ length: 366 }, (_, day) => day * dayMs)
    .filter((day) => matches(new Date(day)))
    .flatMap((day) => times.map((time) => day + time))
}

/** The times of a day, in ms and rising, and the days. */
function readCron(cron: string): { readonly times: readonly number[]; readonly matches: (day: Date) => boolean } {
  const [minutes = '*', hours = '*', monthDays = '*', months = '*', weekdays = '*'] = cron.split(' ')
  const times = valuesOf(hours, 0, 23).flatMap((hour) => valuesOf(minutes, 0, 59).map((minute) => (hour * 60 + minute) * 60_000))
  return { times, matches: dayMatcher(monthDays, months, weekdays) }
}

/** As cron has it: where both the day of the month and the weekday are restricted, one of them is enough. */
function dayMatcher(monthDays: string, months: string, weekdays: string): (day: Date) => boolean {
  const inMonth = new Set(valuesOf(monthDays, 1, 31))
  const month = new Set(valuesOf(months, 1, 12))
  const inWeek = new Set(valuesOf(weekdays, 0, 6))
  const either = !monthDays.startsWith('*') && !weekdays.startsWith('*')
  return (day) => {
    if (!month.has(day.getUTCMonth() + 1)) return false
    const [byMonth, byWeek] = [inMonth.has(day.getUTCDate()), inWeek.has(day.getUTCDay())]
    return either ? byMonth || byWeek : byMonth && byWeek
  }
}

/** Of a normalized field: numbers, ranges, `*`, each with a step; in rising order. */
function valuesOf(field: string, min: number, max: number): number[] {
  const values = new Set<number>()
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/')
    const [from, to] = range === '*' ? [min, max] : range.split('-').map(Number)
    const last = to ?? (part.includes('/') ? max : from)
    for (let value = from ?? min; value <= (last ?? max); value += Number(step)) values.add(value)
  }
  return [...values].toSorted((a, b) => a - b)
}
