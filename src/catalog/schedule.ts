import { tryParseDuration } from '../kernel/index.ts'

/** When something happens again. Times of day are the machine's local time. */
export type Schedule = { readonly text: string } & (
  | { readonly kind: 'every'; readonly everyMs: number }
  /** Five fields, numbers only, Sunday is 0. */
  | { readonly kind: 'cron'; readonly cron: string }
)

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

const phrase =
  /^(?:hourly|(?<rhythm>daily|weekly|monthly)(?: on (?:(?<weekday>[a-z]+)|(?:the |day )?(?<day>\d{1,2})(?:st|nd|rd|th)?))?(?: at (?<hour>\d{1,2}):(?<minute>\d{2}))?)$/

/**
 * When something happens again, as people write it: `hourly`, `daily`, `daily at 02:00`, `weekly on sunday at 03:30`,
 * `monthly on 1 at 04:00`, `every 15m`, or a cron expression of five fields. Without a time of day it is midnight, without a weekday
 * Sunday, without a day the first. Undefined when it is none of them.
 */
export function tryParseSchedule(text: string): Schedule | undefined {
  const every = /^every (\S+)$/.exec(text)
  if (every) {
    const everyMs = tryParseDuration(every[1] ?? '')
    return everyMs === undefined || everyMs < 1000 ? undefined : { text, kind: 'every', everyMs }
  }
  const match = phrase.exec(text.toLowerCase())
  const cron = match ? phraseToCron(match.groups ?? {}) : normalizedCron(text)
  return cron === undefined ? undefined : { text, kind: 'cron', cron }
}

function phraseToCron({
  rhythm,
  weekday,
  day,
  hour = '0',
  minute = '0',
}: Record<string, string | undefined>): string | undefined {
  if (rhythm === undefined) return '0 * * * *'
  if (Number(hour) > 23 || Number(minute) > 59) return undefined
  const time = `${Number(minute)} ${Number(hour)}`
  if (rhythm === 'daily') return weekday === undefined && day === undefined ? `${time} * * *` : undefined
  if (rhythm === 'weekly') {
    const index = weekdays.findIndex((name) => name === (weekday ?? 'sunday') || name.slice(0, 3) === weekday)
    return day !== undefined || index < 0 ? undefined : `${time} * * ${index}`
  }
  // A day that some months lack would silently skip them.
  if (weekday !== undefined || Number(day ?? 1) < 1 || Number(day ?? 1) > 28) return undefined
  return `${time} ${Number(day ?? 1)} * *`
}

const cronFields: readonly { readonly min: number; readonly max: number; readonly names?: readonly string[] }[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 7, names: weekdays.map((name) => name.slice(0, 3)) },
]

function normalizedCron(text: string): string | undefined {
  const fields = text.trim().split(/\s+/)
  if (fields.length !== cronFields.length) return undefined
  const normalized = fields.map((field, index) => cronField(field, index))
  return normalized.includes(undefined) ? undefined : normalized.join(' ')
}

/** One field with its names as numbers, Sunday as 0; undefined when it is out of range or not cron. */
function cronField(field: string, index: number): string | undefined {
  const { min, max, names } = cronFields[index] ?? { min: 0, max: 0 }
  const number = (word: string): number | undefined => {
    const named = names?.indexOf(word.toLowerCase()) ?? -1
    if (named >= 0) return named + min
    const value = /^\d{1,2}$/.test(word) ? Number(word) : undefined
    return value !== undefined && value >= min && value <= max ? value : undefined
  }
  const parts = field.split(',').map((part) => {
    const match = /^(?:(?<any>\*)|(?<from>\w+)(?:-(?<to>\w+))?)(?:\/(?<step>\d{1,2}))?$/.exec(part)
    if (!match) return undefined
    const { any, from, to, step } = match.groups ?? {}
    if (step !== undefined && Number(step) === 0) return undefined
    const suffix = step === undefined ? '' : `/${Number(step)}`
    if (any !== undefined) return `*${suffix}`
    const first = number(from ?? '')
    if (first === undefined) return undefined
    if (to === undefined) return `${index === 4 && first === 7 ? 0 : first}${suffix}`
    const last = number(to)
    return last === undefined || last < first ? undefined : `${first}-${last}${suffix}`
  })
  return parts.includes(undefined) ? undefined : parts.join(',')
}
