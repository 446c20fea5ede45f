import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { resolveSecret, Secret, secretsOf, withWholePaths } from './secret.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-secret-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('a secret shows its value only when asked', () => {
  const secret = new Secret('hunter2', { env: 'PASSWORD' })
  expect(secret.reveal()).toBe('hunter2')
  const views = [JSON.stringify({ secret }), inspect({ secret }, { depth: 9, showHidden: true }), String(secret), [secret].join()]
  expect(views.join('\n')).not.toContain('hunter2')
  expect(views.join('\n')).toContain('the environment variable PASSWORD')
  expect(Object.keys(secret)).toEqual([])
  expect(() => structuredClone(secret)).not.toThrow()
  expect(JSON.stringify(structuredClone(secret))).not.toContain('hunter2')
})

describe('a secret comes from where its reference says', () => {
  test('an environment variable', async () => {
    vi.stubEnv('HOLDFAST_TEST_SECRET', 'hunter2')
    expect((await resolveSecret({ env: 'HOLDFAST_TEST_SECRET' })).reveal()).toBe('hunter2')
    vi.unstubAllEnvs()
  })
  test.each([
    ['hunter2', 'hunter2'],
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['hunter2\n\n', 'hunter2\n'],
    [' hunter 2 ', ' hunter 2 '],
  ])('a file that holds %j is %j', async (content, value) => {
    const file = join(folder, 'password')
    await writeFile(file, content)
    expect((await resolveSecret({ file })).reveal()).toBe(value)
  })
  test('a file in a step of a plan, from the folder of the catalog wherever this runs, and from home', async () => {
    await writeFile(join(folder, 'beside'), 'hunter2')
    const fetch = secretsOf({ file: join(folder, 'holdfast.yaml') })
    const { signal } = new AbortController()
    expect((await fetch({ file: 'beside' }, signal)).reveal()).toBe('hunter2')
    vi.stubEnv('HOME', folder)
    expect((await fetch({ file: '~/beside' }, signal)).reveal()).toBe('hunter2')
    vi.unstubAllEnvs()
    await expect(fetch({ file: 'absent' }, signal)).rejects.toThrow(`the file ${join(folder, 'absent')} does not exist`)
  })
  test('a file in a parameter of a fault, by its whole path; what is no reference stays as it is', () => {
    const params = {
      file: 'aside',
      url: { file: 'beside' },
      deep: [{ credentials: { accessKeyId: { env: 'KEY' }, secretAccessKey: { file: '/etc/key' } } }],
      other: { file: 'a', by: 'b' },
      of: { file: 7 },
    }
    expect(withWholePaths(params, { file: '/srv/acme/holdfast.yaml' })).toEqual({ ...params, url: { file: '/srv/acme/beside' } })
    expect(withWholePaths('beside', { file: '/srv/acme/holdfast.yaml' })).toBe('beside')
  })
  test('a command, without a shell', async () => {
    const command = [process.execPath, '-e', 'console.log(process.argv[1])', '$HOME; "x"'] as const
    expect((await resolveSecret({ command })).reveal()).toBe('$HOME; "x"')
  })
})

describe('a secret that is not there is secret-unavailable, and the reference is named', () => {
  test.each([
    [{ env: 'HOLDFAST_NO_SUCH_VARIABLE' }, /HOLDFAST_NO_SUCH_VARIABLE is not set/],
    [{ file: '/no/such/file' }, /\/no\/such\/file does not exist/],
    [{ file: '/' }, /the file \/ cannot be read/],
    [{ command: ['/no/such/program'] as const }, /\/no\/such\/program cannot be run/],
    [
      { command: ['sh', '-c', 'echo not signed in >&2; exit 3'] as const },
      /the command sh ended with exit code 3: not signed in/,
    ],
    [{ command: ['true'] as const }, /the command true is empty/],
  ])('%j', async (reference, message) => {
    await expect(resolveSecret(reference)).rejects.toMatchObject({
      code: 'secret-unavailable',
      message: expect.stringMatching(message) as string,
      hint: expect.any(String) as string,
    })
  })
  test('an empty variable', async () => {
    vi.stubEnv('HOLDFAST_TEST_SECRET', '')
    await expect(resolveSecret({ env: 'HOLDFAST_TEST_SECRET' })).rejects.toMatchObject({ code: 'secret-unavailable' })
    vi.unstubAllEnvs()
  })
  test('a file that is too large to be one', async () => {
    const file = join(folder, 'large')
    await writeFile(file, 'x'.repeat(100_000))
    await expect(resolveSecret({ file })).rejects.toMatchObject({ code: 'secret-unavailable' })
  })
})

test('what a failed command printed is in no error', async () => {
  const command = ['sh', '-c', 'echo hunter2; echo hunter2 >&2; exit 1'] as const
  const error: unknown = await resolveSecret({ command }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'secret-unavailable' })
  // Only the program is named in the message; its arguments are the catalog's own text.
  expect((error as Error).message).not.toContain('hunter2')
})

test('an abort ends a command that is being asked', async () => {
  const abort = new AbortController()
  const asked = resolveSecret({ command: ['sleep', '60'] }, abort.signal)
  abort.abort(new Error('stop'))
  await expect(asked).rejects.toThrow('stop')
})
