import assert from 'node:assert/strict'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { standing } from './change.ts'
import { differences, isSame, patchOf, reversed, valueAt } from './json-patch.ts'

const member = fc.constantFrom('a', 'b/c', 'd~e', '')
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.integer()),
    tie('map'),
  ),
  map: fc.dictionary(member, tie('value')),
})).map

test('what is different between two objects leads from one to the other, and reversed back', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const changes = differences(before, after)
      expect(changes.length === 0).toBe(isSame(before, after))
      expect(applied(before, changes)).toEqual(after)
      expect(applied(after, reversed(changes))).toEqual(before)
      expect(standing(after, changes)).toBe('as-told')
      expect(standing(before, changes)).toBe(changes.length === 0 ? 'as-told' : 'as-before')
    }),
  )
})

test('a list is one change, and names are escaped as JSON Pointers are', () => {
  expect(differences({ list: [1, 2], 'a/b~c': 1 }, { list: [1], 'a/b~c': 2, more: {} })).toEqual([
    { path: '/list', before: [1, 2], after: [1] },
    { path: '/a~1b~0c', before: 1, after: 2 },
    { path: '/more', after: {} },
  ])
  expect(valueAt({ 'a/b~c': { list: ['x'] } }, '/a~1b~0c/list/0')).toBe('x')
})

test('a patch tests everything that it replaces before it writes anything', () => {
  expect(
    patchOf([
      { path: '/a', before: 1, after: 2 },
      { path: '/b', before: 3 },
      { path: '/c', after: 4 },
    ]),
  ).toEqual([
    { op: 'test', path: '/a', value: 1 },
    { op: 'test', path: '/b', value: 3 },
    { op: 'replace', path: '/a', value: 2 },
    { op: 'remove', path: '/b' },
    { op: 'add', path: '/c', value: 4 },
  ])
})

/** RFC 6902 for maps. */
function applied(
  object: unknown,
  changes: readonly { readonly path: string; readonly before?: unknown; readonly after?: unknown }[],
): unknown {
  const copy = { '': structuredClone(object) }
  for (const { op, path, value } of patchOf(changes)) {
    const keys = [
      '',
      ...path
        .split('/')
        .slice(1)
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~')),
    ]
    const last = keys.pop() ?? ''
    const parent = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, copy)
    if (op === 'test') assert(isSame(parent[last], value))
    else if (op === 'remove') delete parent[last]
    else parent[last] = value
  }
  return copy['']
}
