import { expect, test } from 'vitest'
import { contextIn } from '../../test/support/plans.ts'
import { Secret } from '../catalog/index.ts'
import { shell } from './shell.ts'

const attempt = () => ({ signal: new AbortController().signal, idempotencyKey: 'r/a', attempt: 2, fencingToken: 7 })
const context = contextIn('/nowhere')

test('a command knows its run, step, key, attempt and fencing token', async () => {
  const print = 'echo "$HOLDFAST_RUN $HOLDFAST_STEP $HOLDFAST_IDEMPOTENCY_KEY $HOLDFAST_ATTEMPT $HOLDFAST_FENCING_TOKEN"'
  const output = await shell.bind({ run: print, capture: true }).run(context, attempt())
  expect(output).toEqual({ exitCode: 0, stdout: 'r a r/a 2 7' })
})

test('a secret that a command is given reaches it, and neither its output nor its error', async () => {
  const secret = { env: 'TOKEN_FOR_TEST' }
  const withSecret = { ...context, resolveSecret: async () => new Secret('hunter2', secret) }
  const env = { TOKEN: secret }
  const echo = shell.bind({ run: 'test "$TOKEN" = hunter2 && echo "token $TOKEN"', env, capture: true })
  expect(await echo.run(withSecret, attempt())).toEqual({ exitCode: 0, stdout: 'token ***' })
  const fail = shell.bind({ run: 'echo "bad token $TOKEN" >&2; exit 3', env })
  await expect(fail.run(withSecret, attempt())).rejects.toMatchObject({
    code: 'command-failed',
    message: 'sh ended with exit code 3: bad token ***',
    details: { exitCode: 3 },
  })
})

test('of two secrets that begin alike neither is shown, in whatever form it is printed', async () => {
  const resolveSecret: typeof context.resolveSecret = async (reference) =>
    new Secret('env' in reference && reference.env === 'LONG' ? 'hunter2 "and more"' : 'hunter2', reference)
  const env = { SHORT: { env: 'SHORT' }, LONG: { env: 'LONG' } }
  const run = 'echo "$SHORT|$LONG"; printf %s "$LONG" | base64'
  expect(await shell.bind({ run, env, capture: true }).run({ ...context, resolveSecret }, attempt())).toEqual({
    exitCode: 0,
    stdout: '***|***\n***',
  })
})

test('an output of another step in a shell line is refused, in a list or the environment it is not', () => {
  expect(() => shell.bind({ run: 'rm -rf ${steps.a.path}' })).toThrow(/shell line/)
  expect(shell.bind({ run: ['rm', '-rf', '${steps.a.path}'] }).kind).toBe('shell')
  expect(shell.bind({ run: 'ls "$P"', env: { P: '${steps.a.path}' } }).kind).toBe('shell')
})

test('its probe decides: 0 is done, 1 is not done, anything else unknown', async () => {
  const probe = { signal: new AbortController().signal, idempotencyKey: 'r/a', previous: 'interrupted' } as const
  const stateFor = async (exitCode: number) =>
    (await shell.bind({ run: 'true', probe: `exit ${exitCode}` }).probe(context, probe)).state
  expect([await stateFor(0), await stateFor(1), await stateFor(2)]).toEqual(['done', 'not-done', 'unknown'])
})

test('without a probe, an interrupted command is unknown unless it is idempotent, and a failed one not done', async () => {
  const stateAfter = async (previous: 'failed' | 'interrupted', params: object = {}) => {
    const probe = { signal: new AbortController().signal, idempotencyKey: 'r/a', previous }
    return (await shell.bind({ run: 'true', ...params }).probe(context, probe)).state
  }
  expect(await stateAfter('interrupted')).toBe('unknown')
  expect(await stateAfter('interrupted', { idempotent: true })).toBe('not-done')
  expect(await stateAfter('failed')).toBe('not-done')
})

test('the runbook has the command as a shell takes it', () => {
  expect(shell.bind({ run: ['echo', "it's", 'plain'], cwd: '/srv/my app' }).manual()).toEqual([
    "cd '/srv/my app'",
    `echo 'it'\\''s' plain`,
  ])
})
