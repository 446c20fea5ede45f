import { isHoldfastError } from '../../kernel/index.ts'
import type { Lsn } from '../lsn.ts'
import type { WalArchive, WalSegment } from './contract.ts'
import type { WalRange } from './range.ts'

interface Pieces {
  readonly timeline: number
  readonly start: Lsn
  readonly size: number
  readonly ranges: readonly WalRange[]
  readonly untilDamage: boolean
}

/** One segment of the ranges that were listed of it; see WalArchive.readSegment. Throws `object-missing` for one that is gone by now. */
export async function assembleSegment(
  archive: WalArchive,
  { timeline, start, size, ranges, untilDamage }: Pieces,
  signal?: AbortSignal,
): Promise<WalSegment | undefined> {
  const damaged = new Set<WalRange>()
  const bytes = Buffer.alloc(size)
  let end = start
  let sentAtUs: bigint | undefined
  let completeUntilUs: bigint | undefined
  for (;;) {
    const next = ranges
      .filter((range) => range.timeline === timeline && range.start <= end && range.end > end && !damaged.has(range))
      .reduce<WalRange | undefined>((best, range) => (best && best.end >= range.end ? best : range), undefined)
    if (!next) break
    let found: Awaited<ReturnType<WalArchive['get']>>
    try {
      found = await archive.get(next, signal)
    } catch (error) {
      if (!untilDamage || !isHoldfastError(error, 'object-damaged')) throw error
      // Another range may hold the same bytes.
      damaged.add(next)
      continue
    }
    found.bytes.copy(bytes, Number(next.start - start))
    end = next.end
    sentAtUs = latest(sentAtUs, found.sentAtUs)
    completeUntilUs = latest(completeUntilUs, found.completeUntilUs)
  }
  const isDamaged = [...damaged].some((range) => range.end > end)
  if (end === start && !isDamaged) return undefined
  return { timeline, start, end, bytes, segmentBytes: size, sentAtUs, completeUntilUs, ...(isDamaged ? { isDamaged } : {}) }
}

export function latest(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}
