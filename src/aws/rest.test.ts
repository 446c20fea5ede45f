import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { Secret } from '../catalog/index.ts'
import { openRestService } from './rest.ts'
import { AwsSession } from './session.ts'

const never = new AbortController().signal
const env = { env: 'KEY' }

async function server(status: number, body: string) {
  const asked: string[] = []
  const http = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(status, { 'content-type': 'text/html' }).end(body)
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    asked,
    endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
}

async function ask(endpoint: string, credentials: object = { credentials: { accessKeyId: env, secretAccessKey: env } }) {
  const context = { resolveSecret: () => Promise.resolve(new Secret('test', env)) }
  const session = new AwsSession({ region: 'eu-west-1', endpoint, ...credentials }, context, never)
  return await session.call('fis:GetExperiment', openRestService(session, 'fis').send('GET', '/experiments/1'))
}

afterEach(() => vi.unstubAllEnvs())

test('a page in the place of an answer is no answer, and is told in brief with what to look at', async () => {
  await using portal = await server(200, '<html><style>b { c }</style><body><h1>Log in</h1> first</body></html>')
  await expect(ask(portal.endpoint)).rejects.toMatchObject({
    code: 'command-failed',
    message: `GET ${portal.endpoint}/experiments/1: what answered is no service of AWS: Log in first`,
    hint: expect.stringContaining('check `endpoint`') as string,
  })
  expect(portal.asked).toEqual(['GET /experiments/1'])
})

test('a page with an error is told in brief, and so is JSON that is none', async () => {
  await using refusing = await server(403, '<h1>Forbidden</h1><p>by the proxy</p>')
  await expect(ask(refusing.endpoint)).rejects.toMatchObject({
    message: expect.stringMatching(/status 403: Forbidden by the proxy$/) as string,
  })
  await using broken = await server(400, '{"message": "cut o')
  await expect(ask(broken.endpoint)).rejects.toMatchObject({
    message: expect.stringMatching(/status 400: \{"message": "cut o$/) as string,
  })
})

test('where nobody listens, the message says so, and the next step', async () => {
  const { endpoint, ...gone } = await server(200, '')
  await gone[Symbol.asyncDispose]()
  await expect(ask(endpoint)).rejects.toMatchObject({
    code: 'command-failed',
    retryable: true,
    message: expect.stringMatching(/AWS cannot be reached at .*ECONNREFUSED/) as string,
    hint: 'check the network, the region and the endpoint',
  })
})

test('without credentials it is said how to name some', async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
  await expect(ask('http://127.0.0.1:1', {})).rejects.toMatchObject({
    code: 'secret-unavailable',
    hint: expect.stringContaining('AWS_PROFILE') as string,
  })
})
