import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lanes } from './lanes.ts'

test('every item is taken once, whichever lane takes when', () => {
  const turns = fc.infiniteStream(fc.nat())
  fc.assert(
    fc.property(fc.nat(50), fc.integer({ min: 1, max: 8 }), turns, (count, lanes, turns) => {
      const items = Array.from({ length: count }, (_, item) => item)
      const queue = new Lanes(items, lanes)
      const taken: number[] = []
      for (const turn of turns) {
        const item = queue.take(turn % lanes)
        if (item === undefined) break
        taken.push(item)
      }
      expect(taken.toSorted((a, b) => a - b)).toEqual(items)
    }),
  )
})

test('a lane goes on from where it began, and then helps the one that has most left', () => {
  const queue = new Lanes([1, 2, 3, 4, 5, 6], 2)
  expect([queue.take(0), queue.take(1), queue.take(0), queue.take(0)]).toEqual([1, 4, 2, 3])
  expect([queue.take(0), queue.take(1), queue.take(0)]).toEqual([6, 5, undefined])
})
