import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accountFor, type WrittenRow } from './account.ts'

/** One row every 100 ms, acknowledged 10 ms later unless it is one of these. */
function written(count: number, unacknowledged: readonly number[] = []): WrittenRow[] {
  return Array.from({ length: count }, (_, index) => {
    const row = { seq: index + 1, sentMs: 1000 + index * 100 }
    return unacknowledged.includes(row.seq) ? row : { ...row, ackedMs: row.sentMs + 10 }
  })
}
const upTo = (seq: number) => Array.from({ length: seq }, (_, index) => index + 1)

test('what was lost is counted from the last row that survived before it, whatever was written after', () => {
  const rows = written(20, [11, 12])
  const found = accountFor(rows, new Set([...upTo(6), 13, 14, 15, 16, 17, 18, 19, 20]), 900)
  expect(found).toEqual({
    written: 20,
    acknowledged: 18,
    surviving: 14,
    lost: 4,
    lastAcknowledged: 10,
    lastSurviving: 6,
    rpaMs: 410,
  })
})

test('a row that was never acknowledged counts neither way', () => {
  expect(accountFor(written(10, [5]), new Set([1, 2, 3, 4, 6, 7, 8, 9, 10]), 900)).toMatchObject({ lost: 0, rpaMs: 0 })
  expect(accountFor(written(10, [5]), new Set(upTo(10)), 900)).toMatchObject({ lost: 0, surviving: 10, rpaMs: 0 })
})

test('when nothing from the beginning survived, all since then is lost; when nothing was acknowledged, nobody knows', () => {
  expect(accountFor(written(10), new Set([9, 10]), 900)).toMatchObject({ lost: 8, lastAcknowledged: 8, rpaMs: 810 })
  expect(accountFor(written(10), new Set(), 900)).toMatchObject({ lost: 10, rpaMs: 1010 })
  const unknown = accountFor(written(2, [1, 2]), new Set(), 900)
  expect(unknown.unknown).toBe('no row was acknowledged')
  expect(unknown.rpaMs).toBeUndefined()
})

test('a canary that could not write any more when something was broken shows no loss', () => {
  const rows = written(10, [8, 9, 10])
  const all = new Set(upTo(10))
  expect(accountFor(rows, all, 900, { atMs: 1700, withinMs: 100 })).toMatchObject({ rpaMs: 0 })
  expect(accountFor(rows, all, 900, { atMs: 1711, withinMs: 100 })).toEqual({
    written: 10,
    acknowledged: 7,
    surviving: 10,
    lost: 0,
    unknown: 'no row was acknowledged in the last 100 ms before something was broken',
  })
  // What was acknowledged afterwards does not help.
  expect(accountFor(rows, all, 900, { atMs: 999, withinMs: 100 }).rpaMs).toBeUndefined()
})

test('fewer rows that survived never make a better figure', () => {
  const sets = fc.uniqueArray(fc.integer({ min: 1, max: 30 }))
  fc.assert(
    fc.property(sets, sets, sets, (surviving, more, unacknowledged) => {
      const rows = written(
        30,
        unacknowledged.filter((seq) => seq !== 1),
      )
      const few = accountFor(rows, new Set(surviving), 900)
      const many = accountFor(rows, new Set([...surviving, ...more]), 900)
      expect(few.lost).toBeGreaterThanOrEqual(many.lost)
      expect(few.rpaMs).toBeGreaterThanOrEqual(many.rpaMs ?? 0)
    }),
  )
})
