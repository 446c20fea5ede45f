import type { IncomingMessage, RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import { serving } from '../../test/support/http.ts'
import { contextIn, planOf, planWorkshop, passingCheck, stepThatCounts } from '../../test/support/plans.ts'
import { Secret } from '../catalog/index.ts'
import { httpRequest } from './http-request.ts'

const reference = { env: 'TOKEN_FOR_TEST' }
const context = contextIn('/nowhere', { resolveSecret: async () => new Secret('hunter"2', reference) })
const attempt = { signal: new AbortController().signal, idempotencyKey: 'r/a', attempt: 1, fencingToken: 1 }

const request = (params: object) => httpRequest.bind(params).run(context, attempt)
const stateAfter = async (previous: 'none' | 'failed' | 'interrupted', params: object) =>
  await httpRequest.bind(params).probe(context, { signal: attempt.signal, idempotencyKey: 'r/a', previous })

/** A server that keeps what it was sent, and answers through `listener`. */
async function recording(listener: RequestListener) {
  const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = []
  const server = await serving((incoming, response) => {
    void (async () => {
      let body = ''
      for await (const piece of incoming.setEncoding('utf8')) body += String(piece)
      seen.push({ method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body })
      listener(incoming, response)
    })()
  })
  return { ...server, seen }
}

test('the method, headers, JSON with its secrets, and the idempotency key of the step arrive', async () => {
  await using server = await recording((_incoming, response) => response.writeHead(201).end('made'))
  const params = {
    method: 'PUT',
    url: server.url,
    headers: { authorization: reference },
    json: { name: 'web', password: { secret: reference }, env: { env: 'prod' } },
    idempotencyHeader: 'Idempotency-Key',
  }
  expect(await request(params)).toEqual({ status: 201, elapsedMs: expect.any(Number) as number })
  expect(server.seen).toMatchObject([
    {
      method: 'PUT',
      headers: { authorization: 'hunter"2', 'content-type': 'application/json', 'idempotency-key': 'r/a' },
      body: JSON.stringify({ name: 'web', password: 'hunter"2', env: { env: 'prod' } }),
    },
  ])
})

test('a secret that the server repeats, plain, in JSON or encoded, is in no output and no error', async () => {
  const repeated = `${JSON.stringify({ password: 'hunter"2', auth: Buffer.from('hunter"2').toString('base64') })} hunter"2`
  await using server = await recording(({ method }, response) => response.writeHead(method === 'POST' ? 200 : 422).end(repeated))
  const headers = { 'x-token': reference }
  expect(await request({ url: server.url, headers, capture: true })).toMatchObject({
    body: '{"password":"***","auth":"***"} ***',
  })
  const refused = request({ method: 'PUT', url: server.url, headers })
  await expect(refused).rejects.toMatchObject({
    code: 'command-failed',
    message: expect.stringMatching(/answered 422.*\*\*\*/) as string,
  })
  await expect(refused).rejects.not.toThrow(/hunter|token=1/)
  await expect(request({ url: reference })).rejects.not.toThrow(/hunter/)
})

test('JSON that was captured can be used by later steps', async () => {
  await using server = await serving((_incoming, response) => response.end('{"id":"i-1"}'))
  expect(await request({ url: server.url, capture: true })).toMatchObject({ status: 200, json: { id: 'i-1' } })
})

test('refused with 4xx or 503, or never sent, it is known not to have happened', async () => {
  for (const status of [400, 409, 503]) {
    await using server = await serving((_incoming, response) => response.writeHead(status).end())
    await expect(request({ url: server.url })).rejects.toMatchObject({ code: 'command-failed', details: { status } })
  }
  let url: string
  {
    await using gone = await serving(() => {})
    url = gone.url
  }
  await expect(request({ url })).rejects.toMatchObject({
    code: 'command-failed',
    message: expect.stringContaining('nothing was sent') as string,
  })
})

test.for([
  ['a reset after it was received', { requestTimeout: '20s' }, 'reset'],
  ['no answer in time', { requestTimeout: '200ms' }, 'hang'],
  ['an answer that breaks off', { requestTimeout: '20s' }, 'half'],
  ['a 504 of a proxy', { requestTimeout: '20s' }, 'gateway'],
  ['a redirect', { requestTimeout: '20s' }, 'redirect'],
] as const)('%s is an unknown outcome, and it is sent once', async ([, params, how]) => {
  await using server = await recording((incoming, response) => {
    if (how === 'reset') incoming.socket.resetAndDestroy()
    if (how === 'half') response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy())
    if (how === 'gateway') response.writeHead(504).end()
    if (how === 'redirect') response.writeHead(302, { location: '/other' }).end()
  })
  await expect(request({ url: server.url, ...params })).rejects.toMatchObject({ code: 'outcome-unknown', retryable: true })
  expect(server.seen).toHaveLength(1)
})

test('a redirect is followed to the same origin only, and only with its method and body', async () => {
  await using elsewhere = await recording((_incoming, response) => response.end())
  await using server = await recording(({ url }, response) => {
    const [status, location] = url?.startsWith('/health') === true ? [307, '/next'] : [308, elsewhere.url]
    response.writeHead(status, { location }).end()
  })
  const params = { url: server.url, body: 'x', headers: { 'x-token': reference }, redirects: 'same-origin' }
  await expect(request(params)).rejects.toMatchObject({ message: expect.stringContaining('answered 308') as string })
  expect(server.seen.map(({ method, url, body }) => [method, url, body])).toEqual([
    ['POST', '/health?token=1', 'x'],
    ['POST', '/next', 'x'],
  ])
  expect(elsewhere.seen).toEqual([])
})

test('an aborted request ends with the reason', async () => {
  const controller = new AbortController()
  await using server = await serving(() => controller.abort(new Error('enough')))
  await expect(httpRequest.bind({ url: server.url }).run(context, { ...attempt, signal: controller.signal })).rejects.toThrow(
    'enough',
  )
})

test('its probe tells done from not done, and anything it cannot read is unknown', async () => {
  let answer: [number, string] = [200, '{"data":{"state":"active"}}']
  await using server = await serving((_incoming, response) => response.writeHead(answer[0]).end(answer[1]))
  const state = async (status: number, body: string) => {
    answer = [status, body]
    return (
      await stateAfter('interrupted', { url: server.url, probe: { url: server.url, jsonEquals: { 'data.state': 'active' } } })
    ).state
  }
  expect(await state(200, '{"data":{"state":"active"}}')).toBe('done')
  expect(await state(200, '{"data":{"state":"pending"}}')).toBe('not-done')
  expect(await state(404, '')).toBe('not-done')
  expect([await state(200, 'oops'), await state(500, '{}'), await state(401, '{}')]).toEqual(['unknown', 'unknown', 'unknown'])
})

test('without a probe an interruption is unknown; an idempotent request may go out again, and is taken back when it does not', async () => {
  expect(await stateAfter('interrupted', { url: 'http://x' })).toMatchObject({ state: 'unknown' })
  expect(await stateAfter('failed', { url: 'http://x' })).toEqual({ state: 'not-done' })
  expect(await stateAfter('interrupted', { url: 'http://x', idempotent: true })).toEqual({ state: 'not-done', left: true })
})

/** A request whose first `failures` are received, then cut off. */
async function cutOff(failures: number, parts: object) {
  let left = failures
  const server = await recording((incoming, response) => {
    if (incoming.method === 'POST' && left-- > 0) incoming.socket.resetAndDestroy()
    else response.end('{"state":"active"}')
  })
  await using workshop = await planWorkshop()
  const retry = { attempts: 3, delayMs: 10, factor: 1, maxDelayMs: 10 }
  const call = stepThatCounts('', 'call', { action: { kind: 'http.request', params: { url: server.url, ...parts } }, retry })
  const outcome = await workshop.run(planOf([call, passingCheck('check', ['call'])]))
  await server[Symbol.asyncDispose]()
  return { outcome, sent: server.seen.filter(({ method }) => method === 'POST') }
}

test('a run does not send a request again whose fate is unknown, although the step has attempts left', async () => {
  const { outcome, sent } = await cutOff(1, {})
  expect(sent).toHaveLength(1)
  expect(outcome).toMatchObject({
    failure: { step: 'call', error: { code: 'outcome-unknown' } },
    left: [{ step: 'call', because: 'unknown' }],
  })
})

test('a run sends an idempotent request again under the same key', async () => {
  const { outcome, sent } = await cutOff(2, { idempotencyHeader: 'Idempotency-Key' })
  expect(outcome.status).toBe('succeeded')
  expect(sent.map(({ headers }) => headers['idempotency-key'])).toEqual(['r/call', 'r/call', 'r/call'])
})

test('a run asks the probe after a cut connection, and goes on when it is done', async () => {
  await using state = await recording(({ method }, response) => {
    if (method === 'POST') response.destroy()
    else response.writeHead(state.seen.some((one) => one.method === 'POST') ? 200 : 404).end()
  })
  await using workshop = await planWorkshop()
  const params = { url: state.url, probe: { url: state.url } }
  const call = stepThatCounts('', 'call', { action: { kind: 'http.request', params } })
  const outcome = await workshop.run(planOf([call, passingCheck('check', ['call'])]))
  expect(outcome).toMatchObject({ status: 'succeeded', steps: [{ id: 'call', state: 'done', by: 'probe' }, {}] })
  expect(state.seen.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET'])
})

test('its undo is sent, under a key of its own', async () => {
  await using server = await recording((_incoming, response) => response.writeHead(204).end())
  const action = httpRequest.bind({ url: server.url, idempotencyHeader: 'Key', undo: { method: 'DELETE', url: server.url } })
  expect(action.canUndo).toBe(true)
  await action.undo(null, context, attempt)
  expect(server.seen).toMatchObject([{ method: 'DELETE', headers: { key: 'r/a/undo' } }])
})

test('preflight warns of a host without an address, and stops at a secret that is not there', async () => {
  const findings = await httpRequest.bind({ url: 'http://no-such-host.invalid/' }).preflight(context, attempt.signal)
  expect(findings).toMatchObject([{ severity: 'warning', code: 'host-unresolved' }])
  const without = contextIn('/nowhere')
  await expect(httpRequest.bind({ url: reference }).preflight(without, attempt.signal)).rejects.toMatchObject({
    code: 'not-found',
  })
})

test('the runbook has curl with the secrets by where they are', () => {
  const params = {
    url: 'https://api.example/v1',
    headers: { Authorization: reference },
    json: { size: 2 },
    probe: { url: 'https://api.example/v1' },
  }
  expect(httpRequest.bind(params).manual()).toEqual([
    `curl -sS -i -X POST -H "Authorization: $TOKEN_FOR_TEST" -H 'Content-Type: application/json' --data-binary '{"size":2}' https://api.example/v1   # expect 200 or 201 or 202 or 204`,
    'curl -sS -i -X GET https://api.example/v1   # is it done? 200',
  ])
})
