const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g

/** A duration as Go’s time.ParseDuration reads it (`1h15m30.5s`), without a sign, in milliseconds; undefined for what is none. */
export function goDurationMs(text: string): number | undefined {
  if (text === '0') return 0
  const parts = [...text.matchAll(part)]
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) return undefined
  return parts.reduce((sumMs, [, number, unit = '']) => sumMs + Number(number) * (unitsMs[unit] ?? 0), 0)
}
