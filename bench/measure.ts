/** Several measurements of one thing, in the order in which they were taken. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
  readonly times: number
}

/** Runs `work` as often as asked after one time that does not count, and gives the milliseconds that it took, or those that it gives itself. */
export async function measure(times: number, work: () => Promise<number | void>): Promise<Spread> {
  const measured: number[] = []
  for (let round = 0; round <= times; round++) {
    const startedMs = performance.now()
    const own = await work()
    if (round > 0) measured.push(own ?? performance.now() - startedMs)
  }
  return spreadOf(measured)
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  if (low === undefined || high === undefined) throw new Error('nothing was measured')
  return { median: (low + high) / 2, least: sorted[0] ?? low, most: sorted.at(-1) ?? high, times: sorted.length }
}

export function scaled({ median, least, most, times }: Spread, factor: number): Spread {
  return { median: median * factor, least: least * factor, most: most * factor, times }
}
