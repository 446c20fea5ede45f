/** Nanoseconds since 1970-01-01T00:00:00Z, negative before. */
export type Nanoseconds = bigint

/** Go's zero time: 0001-01-01T00:00:00Z. */
export const zeroTime: Nanoseconds = -62_135_596_800_000_000_000n

const nsPerMs = 1_000_000n
const nsPerSecond = 1_000_000_000n
const maxDateMs = 8_640_000_000_000_000
const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/

/**
 * RFC 3339 with the fraction's trailing zeros cut, in the local time zone at that instant, as restic writes times. Years are clamped to
 * 0–9999, as restic does, since the format has no others.
 */
export function formatTime(time: Nanoseconds): string {
  if (time === zeroTime) return '0001-01-01T00:00:00Z'
  const fraction = ((time % nsPerSecond) + nsPerSecond) % nsPerSecond
  const ms = Math.max(-maxDateMs, Math.min(maxDateMs, Number((time - fraction) / nsPerMs)))
  const offsetSeconds = Math.round(-new Date(ms).getTimezoneOffset() * 60)
  const second = secondAt(ms, offsetSeconds)
  if (fraction === 0n) return second + zone(offsetSeconds)
  return `${second}.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}${zone(offsetSeconds)}`
}

/** The texts of some seconds: files that were made together have the same ones. By milliseconds of the wall clock. */
const seconds = new Map<number, string>()
const mostSeconds = 1024

function secondAt(ms: number, offsetSeconds: number): string {
  // The wall clock of the zone, read through the UTC getters.
  const wallMs = Math.max(-maxDateMs, Math.min(maxDateMs, ms + offsetSeconds * 1000))
  const known = seconds.get(wallMs)
  if (known !== undefined) return known
  const wall = new Date(wallMs)
  const year = wall.getUTCFullYear()
  if (year < 0 || year > 9999) wall.setUTCFullYear(year < 0 ? 0 : 9999)
  const date = `${two(wall.getUTCFullYear(), 4)}-${two(wall.getUTCMonth() + 1)}-${two(wall.getUTCDate())}`
  const text = `${date}T${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())}:${two(wall.getUTCSeconds())}`
  if (seconds.size === mostSeconds) seconds.clear()
  seconds.set(wallMs, text)
  return text
}

function zone(offsetSeconds: number): string {
  if (offsetSeconds === 0) return 'Z'
  // Zones of long ago have seconds; the format does not, and Go cuts them off.
  const minutes = Math.floor(Math.abs(offsetSeconds) / 60)
  return `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

function two(value: number, digits = 2): string {
  return value.toString().padStart(digits, '0')
}

/** The instant that an RFC 3339 text names; undefined when it is not one. Digits beyond nanoseconds are cut off. */
export function parseTime(text: string): Nanoseconds | undefined {
  const match = pattern.exec(text)
  if (!match) return undefined
  const [, second = '', fraction = '', zone = 'Z'] = match
  const ms = Date.parse(second + zone)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * nsPerMs + (fraction === '' ? 0n : BigInt(fraction.slice(0, 9).padEnd(9, '0')))
}
