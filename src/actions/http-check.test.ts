import { expect, test } from 'vitest'
import { serving } from '../../test/support/http.ts'
import { contextIn } from '../../test/support/plans.ts'
import { httpCheck } from './http-check.ts'

const context = contextIn('/nowhere')

function check(params: object): Promise<unknown> {
  const attempt = { signal: new AbortController().signal, idempotencyKey: 'r/a', attempt: 1, fencingToken: 1 }
  return httpCheck.bind(params).run(context, attempt)
}

test('the status and the text that were asked for pass', async () => {
  await using server = await serving((_request, response) => response.writeHead(204).end())
  expect(await check({ url: server.url, status: [200, 204] })).toMatchObject({ status: 204 })
  await using other = await serving((_request, response) => response.end('all is well'))
  expect(await check({ url: other.url, contains: 'is well' })).toMatchObject({ status: 200 })
})

test('a header is sent', async () => {
  await using server = await serving((request, response) =>
    response.writeHead(request.headers['x-probe'] === 'yes' ? 200 : 401).end(),
  )
  expect(await check({ url: server.url, headers: { 'x-probe': 'yes' } })).toMatchObject({ status: 200 })
})

test('another status, a missing text, and a redirect fail, named without the query', async () => {
  await using server = await serving((_request, response) => response.writeHead(503).end())
  await expect(check({ url: server.url })).rejects.toThrow(/^http:\/\/127\.0\.0\.1:\d+\/health answered 503, not 200$/)
  await using empty = await serving((_request, response) => response.end())
  await expect(check({ url: empty.url, contains: 'ok' })).rejects.toThrow(/without the text 'ok'/)
  await using moved = await serving((_request, response) => response.writeHead(302, { location: '/login' }).end())
  await expect(check({ url: moved.url })).rejects.toThrow(/answered 302/)
})

test('a server that is not there, hangs, or breaks off fails', async () => {
  let url: string
  {
    await using gone = await serving((_request, response) => response.end())
    url = gone.url
  }
  await expect(check({ url })).rejects.toMatchObject({ code: 'command-failed', retryable: true })
  await using hanging = await serving(() => {})
  await expect(check({ url: hanging.url, requestTimeout: '100ms' })).rejects.toThrow(/did not answer within 100ms/)
  await using broken = await serving((_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half')
    setTimeout(() => response.destroy(), 20)
  })
  await expect(check({ url: broken.url })).rejects.toMatchObject({ code: 'command-failed' })
})

test('what is no http URL is refused', async () => {
  await expect(check({ url: 'file:///etc/passwd' })).rejects.toMatchObject({ code: 'usage' })
})
