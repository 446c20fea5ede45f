import { expect, test } from 'vitest'
import { parseTimelineHistory } from '../timeline-history.ts'
import { startPosition } from './start-position.ts'

const size = 0x1000000
const alone = { timeline: 1, forks: [], text: '' }
const forked = parseTimelineHistory(2, '1\t0/3800000\tpromoted\n')
const slot = { timeline: 1, lsn: 0x2000500n }

test('an empty archive begins at the segment of the slot', () => {
  expect(startPosition(alone, [], slot, size)).toMatchObject({
    timeline: 1,
    start: 0x2000000n,
    durable: 0x2000000n,
    basis: 'slot',
  })
})

test('an archive goes on in its last segment, and knows what it has of it', () => {
  const ranges = [{ timeline: 1, start: 0x2000000n, end: 0x3400000n }]
  expect(startPosition(alone, ranges, slot, size)).toMatchObject({ start: 0x3000000n, durable: 0x3400000n, basis: 'archive' })
})

test('before the fork the ancestor is finished first; after it the new timeline begins with its first segment', () => {
  const before = [{ timeline: 1, start: 0x2000000n, end: 0x3400000n }]
  expect(startPosition(forked, before, slot, size)).toMatchObject({
    timeline: 1,
    start: 0x3000000n,
    durable: 0x3400000n,
    diverged: undefined,
  })
  const at = [{ timeline: 1, start: 0x2000000n, end: 0x3800000n }]
  expect(startPosition(forked, at, slot, size)).toMatchObject({
    timeline: 2,
    start: 0x3000000n,
    durable: 0x3000000n,
    diverged: undefined,
  })
})

test('bytes of the ancestor behind the fork are named', () => {
  const ranges = [{ timeline: 1, start: 0x2000000n, end: 0x3900000n }]
  expect(startPosition(forked, ranges, slot, size)).toMatchObject({
    timeline: 2,
    diverged: { timeline: 1, start: 0x3800000n, end: 0x3900000n },
  })
})

test('a timeline that is not on the server’s line does not count', () => {
  const ranges = [{ timeline: 5, start: 0x9000000n, end: 0x9400000n }]
  expect(startPosition(alone, ranges, slot, size)).toMatchObject({ timeline: 1, basis: 'slot' })
})
