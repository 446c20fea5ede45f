import { HoldfastError } from '../../kernel/index.ts'
import type { CalendarSpan } from './rules.ts'

const units = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const
const pattern = /^(?:\d+[ymdh])+$/

/** restic's form, `1y5m7d2h`, in which `m` is months. Throws `usage`. */
export function parseSpan(text: string): CalendarSpan {
  if (!pattern.test(text))
    throw new HoldfastError('usage', {
      message: `'${text}' is not a span of time`,
      hint: 'write years, months, days and hours as in 1y5m7d2h; m is months, as in restic',
    })
  const span = { years: 0, months: 0, days: 0, hours: 0 }
  for (const [, count, unit] of text.matchAll(/(\d+)([ymdh])/g)) span[units[unit as keyof typeof units]] += Number(count)
  return span
}

/** As parseSpan reads it; hours with at most two digits of a fraction. */
export function formatSpan(span: CalendarSpan): string {
  const parts = Object.entries(units).map(([unit, name]) => (span[name] === 0 ? '' : `${Number(span[name].toFixed(2))}${unit}`))
  return parts.join('') || '0h'
}
