import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { serving } from '../../test/support/http.ts'
import { contextIn, planOf, planWorkshop, passingCheck, stepThatCounts } from '../../test/support/plans.ts'
import { Secret, type Catalog } from '../catalog/index.ts'
import { notify } from './notify.ts'

const reference = { env: 'TOKEN_FOR_TEST' }
const context = contextIn('/nowhere', {
  catalog: { name: 'acme' } as Catalog,
  resolveSecret: async () => new Secret('hunter2', reference),
})
const attempt = { signal: new AbortController().signal, idempotencyKey: 'r/a', attempt: 1, fencingToken: 1, timeoutMs: 10_000 }
const say = (params: object) => notify.bind({ message: 'hello', ...params }).run(context, attempt)

/** A webhook that answers with a status, and what it was posted. */
async function webhook(status: number) {
  const posted: { headers: Record<string, unknown>; body: unknown }[] = []
  const server = await serving((request, response) => {
    void (async () => {
      let body = ''
      for await (const piece of request.setEncoding('utf8')) body += String(piece)
      posted.push({ headers: request.headers, body: JSON.parse(body) })
      response.writeHead(status).end()
    })()
  })
  return { ...server, posted }
}

test('a webhook is posted the message with the facts of the run', async () => {
  await using hook = await webhook(200)
  const params = {
    message: '${run.catalog}: ${run.requestedBy} recovers to ${run.target} (${run.id})',
    webhook: { url: hook.url },
  }
  expect(await say(params)).toEqual({ sent: true, status: 200 })
  expect(hook.posted).toMatchObject([
    {
      headers: { 'content-type': 'application/json', 'idempotency-key': 'r/a' },
      body: { text: 'acme: alice recovers to latest (r)', run: { id: 'r', step: 'a', planHash: 'hash', catalog: 'acme' } },
    },
  ])
})

test('a body of its own is filled in too, with its secrets', async () => {
  await using hook = await webhook(202)
  const json = { routing_key: { secret: reference }, payload: { summary: 'run ${run.id}: ${run.message}' } }
  expect(await say({ message: 'to ${run.target}', webhook: { url: hook.url, json } })).toMatchObject({ sent: true })
  expect(hook.posted[0]?.body).toEqual({ routing_key: 'hunter2', payload: { summary: 'run r: to latest' } })
  expect(() => notify.bind({ message: '${run.message}', webhook: { url: hook.url } })).toThrow(/a fact is one of/)
})

test('a command has the message as its input and in its environment', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-notify-'))
  const run = `cat > '${folder}/said'; echo "$HOLDFAST_MESSAGE $TOKEN" >> '${folder}/said'`
  expect(await say({ message: 'to ${run.target}', command: { run, env: { TOKEN: reference } } })).toEqual({
    sent: true,
    exitCode: 0,
  })
  expect(await readFile(join(folder, 'said'), 'utf8')).toBe('to latest\nto latest hunter2\n')
  await rm(folder, { recursive: true })
})

test('what cannot be said stops nothing, and is not called sent', async () => {
  await using refusing = await webhook(403)
  expect(await say({ webhook: { url: refusing.url } })).toEqual({
    sent: false,
    because: expect.stringMatching(/answered 403/) as string,
  })
  await using hanging = await serving(() => {})
  expect(await say({ webhook: { url: hanging.url }, within: '150ms' })).toEqual({
    sent: false,
    because: 'it was not said within 150 ms',
  })
  expect(await say({ webhook: { url: reference } })).toMatchObject({ sent: false })
  expect(await say({ command: { run: 'sleep 60' }, within: '150ms' })).toMatchObject({ sent: false })
  const failing = await say({ command: { run: 'echo "bad $TOKEN" >&2; exit 3', env: { TOKEN: reference } } })
  expect(failing).toEqual({ sent: false, because: 'sh ended with exit code 3: bad ***' })
})

test('it is over before the step times out', async () => {
  await using hanging = await serving(() => {})
  const action = notify.bind({ message: 'x', webhook: { url: hanging.url }, within: '1h' })
  expect(await action.run(context, { ...attempt, timeoutMs: 200 })).toEqual({
    sent: false,
    because: 'it was not said within 160 ms',
  })
})

test('one that is required fails', async () => {
  await using refusing = await webhook(500)
  await expect(say({ webhook: { url: refusing.url }, required: true })).rejects.toMatchObject({ code: 'command-failed' })
})

test('a cancelled run is not held up by it', async () => {
  const controller = new AbortController()
  await using hanging = await serving(() => controller.abort(new Error('stop')))
  const action = notify.bind({ message: 'x', webhook: { url: hanging.url } })
  await expect(action.run(context, { ...attempt, signal: controller.signal })).rejects.toThrow('stop')
})

test('a fact that does not exist, no way, or two ways to send are refused', () => {
  const url = 'https://hooks.example/x'
  expect(() => notify.bind({ message: '${run.nope}', webhook: { url } })).toThrow(/a fact is one of/)
  expect(() => notify.bind({ message: 'x', webhook: { url, json: { a: '${run.nope}' } } })).toThrow(/a fact is one of/)
  expect(() => notify.bind({ message: 'x' })).toThrow(/one of 'webhook' and 'command'/)
  expect(() => notify.bind({ message: 'x', webhook: { url }, command: { run: 'true' } })).toThrow(/one of/)
})

test('a run goes on when nobody could be told; a plan of nothing but messages checks nothing', async () => {
  await using workshop = await planWorkshop()
  const tell = stepThatCounts('', 'tell', { action: { kind: 'notify', params: { message: 'x', command: { run: 'false' } } } })
  const blocked = await workshop.run(planOf([tell]))
  expect(blocked).toMatchObject({ status: 'preflight-failed', findings: [{ code: 'plan-checks-nothing' }] })
  await using other = await planWorkshop()
  const outcome = await other.run(planOf([tell, passingCheck('check', ['tell'])]))
  expect(outcome).toMatchObject({ status: 'succeeded', checksPassed: 1, steps: [{ id: 'tell', output: { sent: false } }, {}] })
})

test('preflight warns of a secret that is missing, and stops only where it is required', async () => {
  const missing = contextIn('/nowhere')
  const action = (required: boolean) => notify.bind({ message: 'x', webhook: { url: reference }, required })
  expect(await action(false).preflight(missing, attempt.signal)).toMatchObject([{ severity: 'warning', code: 'cannot-notify' }])
  await expect(action(true).preflight(missing, attempt.signal)).rejects.toMatchObject({ code: 'not-found' })
})

test('the runbook has curl, or the command', () => {
  expect(notify.bind({ message: "it's up", webhook: { url: reference } }).manual()).toEqual([
    `curl -sS -i -X POST -H 'Content-Type: application/json' --data-binary '{"text":"it'\\''s up"}' "$TOKEN_FOR_TEST"`,
  ])
  expect(notify.bind({ message: 'up now', command: { run: ['wall'] } }).manual()).toEqual(["echo 'up now' | wall"])
})
