import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { HypothesisProbe, Tolerance } from '../../src/catalog/index.ts'
import { lookOnce } from '../../src/chaos/index.ts'
import { HoldfastError, systemClock } from '../../src/kernel/index.ts'
import { freePort } from '../support/free-port.ts'
import { serving } from '../support/http.ts'
import { describePostgres, startPostgres } from '../support/postgres.ts'

const never = new AbortController().signal
const deps = {
  clock: systemClock,
  resolveSecret: () => Promise.reject(new HoldfastError('secret-unavailable', { message: 'no secrets here' })),
}

function look(measure: HypothesisProbe['measure'], tolerance: Tolerance, timeoutMs = 10_000) {
  return lookOnce({ name: 'p', measure, tolerance, timeoutMs }, deps, never)
}

test('an answer is judged by its status, and its body by a pattern or a path', async () => {
  await using server = await serving((_, response) => {
    response.writeHead(503, { 'content-type': 'application/json' }).end('{"pods":[{"ready":true},{"ready":false}]}')
  })
  const http = { kind: 'http', url: server.url, headers: {} } as const
  expect(await look(http, { kind: 'equals', value: 503 })).toMatchObject({ met: true, value: 503 })
  expect(await look(http, { kind: 'equals', value: 200 })).toMatchObject({ met: false, because: 'gave 503, not 200' })
  expect(await look(http, { kind: 'matches', pattern: '"ready":(true|false)' })).toMatchObject({ met: true })
  const ready = {
    kind: 'jsonpath',
    path: '$.pods[*].ready',
    found: { kind: 'each', of: { kind: 'equals', value: true } },
  } as const
  expect(await look(http, ready)).toMatchObject({ met: false, because: '$.pods[*].ready gave false, not true' })
  const two = { kind: 'jsonpath', path: '$.pods[?(@.ready == true)]', found: { kind: 'count', count: 1 } } as const
  expect(await look(http, two)).toMatchObject({ met: true })
})

test('a server that answers with nothing, or never, is a breach with its reason', async () => {
  const port = await freePort()
  const refused = await look({ kind: 'http', url: `http://127.0.0.1:${port}/`, headers: {} }, { kind: 'equals', value: 200 })
  expect(refused).toMatchObject({ met: false, because: expect.stringContaining('ECONNREFUSED') as string })
  await using server = await serving(() => {})
  const silent = await look({ kind: 'http', url: server.url, headers: {} }, { kind: 'equals', value: 200 }, 100)
  expect(silent).toMatchObject({ met: false, because: 'did not answer within 100 ms' })
  expect(silent).not.toHaveProperty('value')
})

test('a port is well while connections are accepted', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const tcp = { kind: 'tcp', host: '127.0.0.1', port } as const
  expect(await look(tcp, { kind: 'present' })).toMatchObject({ met: true, value: true })
  server.close()
  await once(server, 'close')
  expect(await look(tcp, { kind: 'present' })).toMatchObject({ met: false })
})

test('a command is judged by its exit code and what it prints, and ends with its time', async () => {
  const command = { kind: 'command', command: ['sh', '-c', 'echo lag=3; exit 2'] } as const
  expect(await look(command, { kind: 'equals', value: 2 })).toMatchObject({ met: true, value: 2 })
  expect(await look(command, { kind: 'range', atMost: 1 })).toMatchObject({ met: false, because: 'gave 2, more than 1' })
  expect(await look(command, { kind: 'matches', pattern: '^lag=[0-3]$' })).toMatchObject({ met: false })
  expect(await look(command, { kind: 'matches', pattern: 'lag=[0-3]\\n' })).toMatchObject({ met: true })
  const slow = await look({ kind: 'command', command: ['sleep', '60'] }, { kind: 'equals', value: 0 }, 100)
  expect(slow).toMatchObject({ met: false, because: 'did not answer within 100 ms' })
})

test('processes are counted by their command line', async () => {
  const mark = `holdfast-probe-${process.pid}`
  const measure = { kind: 'process', commandLine: mark } as const
  expect(await look(measure, { kind: 'range', atLeast: 1 })).toMatchObject({ met: false, value: 0 })
  const child = spawn('sh', ['-c', 'echo started; read line', mark], { stdio: ['pipe', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  expect(await look(measure, { kind: 'range', atLeast: 1, atMost: 1 })).toMatchObject({ met: true, value: 1 })
  child.stdin.end('\n')
  await once(child, 'close')
})

test('a Prometheus query gives the value of its one series; of none or several it gives no value', async () => {
  const results: Record<string, unknown> = {
    up: { resultType: 'vector', result: [{ metric: {}, value: [1_700_000_000, '0.97'] }] },
    none: { resultType: 'vector', result: [] },
    two: { resultType: 'vector', result: [1, 2].map((n) => ({ metric: {}, value: [1_700_000_000, String(n)] })) },
    one: { resultType: 'scalar', result: [1_700_000_000, '1'] },
  }
  await using server = await serving((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
    expect(pathname).toBe('/prometheus/api/v1/query')
    response.end(JSON.stringify({ status: 'success', data: results[searchParams.get('query') ?? ''] }))
  })
  const ask = (query: string) =>
    look({ kind: 'prometheus', url: new URL('/prometheus', server.url).href, query }, { kind: 'range', atLeast: 0.95 })
  expect(await ask('up')).toMatchObject({ met: true, value: 0.97 })
  expect(await ask('one')).toMatchObject({ met: true, value: 1 })
  expect(await ask('none')).toMatchObject({ met: false, because: 'the query gave 0 series, not one' })
  expect(await ask('two')).toMatchObject({ met: false, because: 'the query gave 2 series, not one' })
})

describePostgres('a query', (version) => {
  test('gives the first column of its first row, and no row is nothing seen', async () => {
    await using postgres = await startPostgres({ version })
    const ask = (sql: string, tolerance: Tolerance) => look({ kind: 'sql', sql, url: postgres.url }, tolerance)
    expect(await ask('select count(*) from pg_database', { kind: 'range', atLeast: 1 })).toMatchObject({ met: true })
    expect(await ask('select 1 where false', { kind: 'present' })).toMatchObject({ met: false, value: null })
    expect(await ask('select false', { kind: 'present' })).toMatchObject({ met: false, value: false })
    expect(await ask("select 'x'", { kind: 'equals', value: 'x' })).toMatchObject({ met: true })
    const error = await ask('select nonsense', { kind: 'present' })
    expect(error).toMatchObject({ met: false, because: expect.stringContaining('nonsense') as string })
  })
})
