import { expect, test } from 'vitest'
import { isPathWithin } from './path.ts'

test.for([
  ['/srv/repo', '/srv/repo', true],
  ['/srv/repo/data/ab', '/srv/repo', true],
  ['/srv/repo/..copy', '/srv/repo', true],
  ['/srv/repository', '/srv/repo', false],
  ['/srv', '/srv/repo', false],
  ['/srv/repo', '/', true],
  ['/', '/', true],
] as const)('%s within %s: %s', ([path, folder, expected]) => {
  expect(isPathWithin(path, folder)).toBe(expected)
})
