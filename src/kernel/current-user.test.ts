import type * as Os from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { expandHome, homeFolder, userName } from './current-user.ts'

const { nobody } = vi.hoisted(() => ({ nobody: { is: false } }))

vi.mock('node:os', async (importOriginal) => {
  const os = await importOriginal<typeof Os>()
  const unless = <Result>(ask: () => Result) => {
    // What Node throws for a number without an entry in passwd.
    if (nobody.is) throw Object.assign(new Error('uv_os_get_passwd returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' })
    return ask()
  }
  return { ...os, userInfo: () => unless(() => os.userInfo()), homedir: () => unless(() => os.homedir()) }
})

afterEach(() => {
  nobody.is = false
})

test('a user whom the system has no name for is called by number, and has the root for a home', () => {
  nobody.is = true
  expect(userName()).toBe(`uid-${process.getuid?.()}`)
  expect(homeFolder()).toBe('/')
})

test('every other user has the system’s name and home', () => {
  expect(userName()).not.toMatch(/^uid-/)
  expect(homeFolder()).toMatch(/^\//)
})

test.each([
  ['~', ''],
  ['~/.kube/config', '/.kube/config'],
])('%s is at home', (path, rest) => {
  expect(expandHome(path)).toBe(`${homeFolder()}${rest}`)
})

test.each(['~other/x', '/a/~', 'a~/b'])('%s is not at home', (path) => {
  expect(expandHome(path)).toBe(path)
})
