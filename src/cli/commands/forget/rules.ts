import { groupKeys, type CalendarSpan, type GroupKey, type KeepRules } from '../../../backup/index.ts'
import { HoldfastError } from '../../../kernel/index.ts'
import { splitTags } from '../../snapshot-options.ts'

/** The keep flags, as commander gives them. */
export interface KeepFlags {
  readonly keepLast?: number
  readonly keepHourly?: number
  readonly keepDaily?: number
  readonly keepWeekly?: number
  readonly keepMonthly?: number
  readonly keepYearly?: number
  readonly keepWithin?: CalendarSpan
  readonly keepWithinHourly?: CalendarSpan
  readonly keepWithinDaily?: CalendarSpan
  readonly keepWithinWeekly?: CalendarSpan
  readonly keepWithinMonthly?: CalendarSpan
  readonly keepWithinYearly?: CalendarSpan
  readonly keepTag?: readonly (readonly string[])[]
}

export function rulesOf(flags: KeepFlags): KeepRules {
  return {
    counts: defined({
      last: flags.keepLast,
      hourly: flags.keepHourly,
      daily: flags.keepDaily,
      weekly: flags.keepWeekly,
      monthly: flags.keepMonthly,
      yearly: flags.keepYearly,
    }),
    ...(flags.keepWithin && { within: flags.keepWithin }),
    withinPeriod: defined({
      hourly: flags.keepWithinHourly,
      daily: flags.keepWithinDaily,
      weekly: flags.keepWithinWeekly,
      monthly: flags.keepWithinMonthly,
      yearly: flags.keepWithinYearly,
    }),
    ...(flags.keepTag && { tags: flags.keepTag }),
  }
}

function defined<Value extends object>(values: Value): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Value]?: Exclude<Value[Key], undefined>
  }
}

/** A whole number, or `unlimited`. */
export function parseCount(text: string): number {
  if (text === 'unlimited' || text === '-1') return Infinity
  if (/^\d+$/.test(text)) return Number(text)
  throw new HoldfastError('usage', {
    message: `'${text}' is not a number of snapshots`,
    hint: 'give a whole number, or unlimited',
  })
}

/** `a,b` is one list, whose tags must all be there; each further option is a list of its own. */
export function collectTags(text: string, lists: readonly (readonly string[])[] = []): readonly (readonly string[])[] {
  return [...lists, splitTags(text)]
}

/** `host,paths`; nothing for one group of all. */
export function parseGroupBy(text: string): readonly GroupKey[] {
  const names: Readonly<Record<string, GroupKey>> = { host: 'host', paths: 'paths', path: 'paths', tags: 'tags', tag: 'tags' }
  return text
    .split(',')
    .filter((name) => name.trim() !== '')
    .map((name) => {
      const key = names[name.trim()]
      if (key !== undefined) return key
      throw new HoldfastError('usage', {
        message: `snapshots cannot be grouped by '${name}'`,
        hint: `give some of ${groupKeys.join(',')}, or '' for one group of all`,
      })
    })
}
