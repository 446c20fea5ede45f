import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseTimelineHistory } from '../timeline-history.ts'
import { abandonedWal, coveredRanges, findGaps, joinRanges, reachAlong } from './coverage.ts'
import type { WalRange } from './range.ts'

const range = (timeline: number, start: number, end: number): WalRange => ({ timeline, start: BigInt(start), end: BigInt(end) })
const alone = { timeline: 1, forks: [], text: '' }
/** Timeline 2 left 1 at 100. */
const forked = parseTimelineHistory(2, '1\t0/64\tpromoted\n')

test('ranges that touch or overlap are one stretch; what lies between stretches is a gap', () => {
  const ranges = [range(1, 50, 70), range(1, 0, 30), range(1, 20, 50), range(1, 90, 95), range(2, 0, 5)]
  expect(joinRanges(ranges)).toEqual([range(1, 0, 70), range(1, 90, 95), range(2, 0, 5)])
  expect(findGaps(ranges)).toEqual([{ timeline: 1, from: 70n, to: 90n }])
})

test('recovery reaches up to the first hole, and says that WAL goes on behind it', () => {
  const ranges = [range(1, 0, 70), range(1, 90, 95)]
  expect(reachAlong(alone, ranges, 10n)).toEqual({ end: 70n, timeline: 1, gap: { timeline: 1, from: 70n, to: 90n } })
  expect(reachAlong(alone, ranges, 92n)).toEqual({ end: 95n, timeline: 1, gap: undefined })
  expect(reachAlong(alone, ranges, 200n)).toEqual({ end: 200n, timeline: 1, gap: undefined })
})

test('an ancestor counts up to the fork only, and what it has beyond is abandoned', () => {
  const ranges = [range(1, 0, 130), range(2, 90, 160)]
  expect(reachAlong(forked, ranges, 10n)).toEqual({ end: 160n, timeline: 2, gap: undefined })
  expect(abandonedWal(forked, ranges)).toEqual([range(1, 100, 130)])
  expect(reachAlong(forked, [range(1, 0, 80), range(2, 90, 160)], 10n)).toMatchObject({
    end: 80n,
    timeline: 1,
    gap: { from: 80n },
  })
})

test('what one larger range holds whole can go, and nothing else', () => {
  const ranges = [range(1, 0, 10), range(1, 10, 20), range(1, 0, 20), range(1, 15, 30), range(2, 0, 10)]
  expect(coveredRanges(ranges)).toEqual([range(1, 0, 10), range(1, 10, 20)])
})

test('deleting covered ranges never changes what is there', () => {
  const any = fc.record({ timeline: fc.integer({ min: 1, max: 2 }), start: fc.bigInt(0n, 60n), size: fc.bigInt(1n, 20n) })
  fc.assert(
    fc.property(fc.array(any), (specs) => {
      const ranges = specs.map(({ timeline, start, size }) => ({ timeline, start, end: start + size }))
      const covered = coveredRanges(ranges)
      const left = ranges.filter((one) => !covered.includes(one))
      expect(joinRanges(left)).toEqual(joinRanges(ranges))
    }),
  )
})
