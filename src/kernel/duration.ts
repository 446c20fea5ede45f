import { HoldfastError } from './errors.ts'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const pattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g

/**
 * A duration written with units (`30s`, `5m`, `1h30m`, `250ms`) in milliseconds.
 * Undefined when it is not one: a bare number is refused, its unit could be mistaken.
 */
export function tryParseDuration(text: string): number | undefined {
  if (!pattern.test(text)) return undefined
  let ms = 0
  for (const [, count, unit] of text.matchAll(part)) ms += Number(count) * unitMs[unit as keyof typeof unitMs]
  return ms
}

/** As tryParseDuration. Throws `usage` for anything that is not a duration. */
export function parseDuration(text: string): number {
  const ms = tryParseDuration(text)
  if (ms !== undefined) return ms
  throw new HoldfastError('usage', {
    message: `'${text}' is not a duration`,
    hint: 'write a number with its unit: 250ms, 30s, 5m, 2h, 7d or 1h30m',
  })
}

/** As parseDuration reads it back, to the millisecond: `30m`, `1500ms`. */
export function writeDuration(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const
  const [name, unit] = units.find(([, unit]) => ms > 0 && ms % unit === 0) ?? ['ms', 1]
  return `${Math.round(ms / unit)}${name}`
}

/** The shortest exact-enough form for people: `0 s`, `4 ms`, `12.3 s`, `5 min`, `1 h 30 min`, `7 d`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown'
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms === 0) return '0 s'
  if (ms < 1000) return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`
  const parts: string[] = []
  let rest = Math.round(ms / 1000)
  for (const [name, seconds] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds)
    rest -= count * seconds
    if (count > 0) parts.push(`${count} ${name}`)
  }
  return parts.slice(0, 2).join(' ')
}
