import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.ts'

test('the order of keys does not matter, that of a list does', () => {
  expect(canonicalJson({ b: 1, a: { d: 2, c: 3 } })).toBe(canonicalJson({ a: { c: 3, d: 2 }, b: 1 }))
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]))
})

test('undefined members are left out, as JSON does', () => {
  expect(canonicalJson({ a: undefined, b: null })).toBe('{"b":null}')
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 0])('%s is refused instead of becoming null', (value) => {
  expect(() => canonicalJson({ value })).toThrow(TypeError)
})

test('what was written reads back as the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})
