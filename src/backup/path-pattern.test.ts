import { expect, test } from 'vitest'
import { createPathMatcher } from './path-pattern.ts'

test.each([
  ['*.tmp', '/a/b/x.tmp', true],
  ['*.tmp', '/a/b/.x.tmp', true],
  ['*.tmp', '/a/x.tmpl', false],
  ['node_modules', '/a/node_modules', true],
  ['node_modules/', '/a/node_modules', true],
  ['node_modules', '/node_modules', true],
  ['cache/thumbs', '/home/me/cache/thumbs', true],
  ['cache/thumbs', '/home/me/cache/x/thumbs', false],
  ['cache/**/thumbs', '/home/me/cache/x/y/thumbs', true],
  ['/home/*/tmp', '/home/me/tmp', true],
  ['/home/*/tmp', '/mnt/home/me/tmp', false],
  ['/home/*/tmp', '/home/a/b/tmp', false],
  ['file?', '/x/file1', true],
  ['file[0-9]', '/x/file7', true],
  ['file[0-9]', '/x/filex', false],
  ['a{b,c}', '/x/ab', false],
  ['line\nbreak*', '/x/line\nbreak 2', true],
  ['/x/*', '/x/\nbreak', true],
  ['*', '/x/\u2028line separator', true],
  ['!keep', '/x/other', false],
])('pattern %j on %j: %j', (pattern, path, expected) => {
  expect(createPathMatcher([pattern])(path)).toBe(expected)
})

test('without patterns nothing matches', () => {
  expect(createPathMatcher([])('/anything')).toBe(false)
})

test('upper and lower case can be the same', () => {
  expect(createPathMatcher(['*.JPG'], { ignoreCase: true })('/photos/a.jpg')).toBe(true)
  expect(createPathMatcher(['*.JPG'])('/photos/a.jpg')).toBe(false)
})
