import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainValue } from './plain-value.ts'

/** That key is refused: see below. */
const allowed = fc.jsonValue({ maxDepth: 6 }).filter((value) => !JSON.stringify(value).includes('"__proto__":'))

test('what JSON can hold is what it was', () => {
  fc.assert(
    fc.property(allowed, (value) => {
      expect(plainValue(value)).toEqual({ value, findings: [] })
    }),
    { numRuns: 200 },
  )
})

test('a member that is undefined is not there', () => {
  expect(plainValue({ a: undefined, b: [{ c: undefined }] })).toEqual({ value: { b: [{}] }, findings: [] })
})

const circle: Record<string, unknown> = {}
circle.self = circle

test.each([
  ['a function', { services: { db: { owner: () => 'me' } } }, 'services.db.owner is a function'],
  ['a date', { a: [new Date(0)] }, 'a[0] is of the class Date'],
  ['no number', { a: Number.NaN }, 'a is NaN'],
  ['a large integer', { a: 1n }, 'a is a bigint'],
  ['a map of a program', { a: new Map() }, 'a is of the class Map'],
  ['itself', circle, 'self holds itself'],
  ['much too deep', Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1), 'is nested more than 64 levels deep'],
])('%s is named with its place', (_what, value, message) => {
  const { findings } = plainValue(value)
  expect(findings).toHaveLength(1)
  expect(findings[0]?.message).toContain(message)
})
