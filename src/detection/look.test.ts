import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { serving } from '../../test/support/http.ts'
import type { Probe, Secret } from '../catalog/index.ts'
import { systemClock } from '../kernel/index.ts'
import { lookAt, type LookDeps } from './look.ts'

const signal = new AbortController().signal
const deps: LookDeps = { clock: systemClock, resolveSecret: () => Promise.reject(new Error('this test has no secrets')) }
const timeoutMs = 10_000

/** Accepts connections and never says a word: what hangs. */
async function mute() {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

describe('http', () => {
  test('is well with its status, and only with that', async () => {
    await using server = await serving((_, response) => response.writeHead(204).end())
    const probe = { kind: 'http', url: server.url, timeoutMs } as const
    expect(await lookAt({ ...probe, status: 204 }, deps, signal)).toMatchObject({ well: true })
    const other = await lookAt({ ...probe, status: 200 }, deps, signal)
    expect(other).toMatchObject({ well: false, because: 'answered 204, not 200' })
    expect(JSON.stringify(other)).not.toContain('token')
  })

  test('a redirect is an answer, not followed', async () => {
    await using server = await serving((_, response) => response.writeHead(302, { location: '/elsewhere' }).end())
    expect(await lookAt({ kind: 'http', url: server.url, status: 200, timeoutMs }, deps, signal)).toMatchObject({
      because: 'answered 302, not 200',
    })
  })

  test('a status is enough: a body that never ends is of no interest', async () => {
    await using server = await serving((_, response) => {
      response.writeHead(200)
      response.write('and')
    })
    expect(await lookAt({ kind: 'http', url: server.url, status: 200, timeoutMs }, deps, signal)).toMatchObject({ well: true })
  })

  test('one that hangs is not well in this look, and says so', async () => {
    await using server = await mute()
    const probe: Probe = { kind: 'http', url: `http://127.0.0.1:${server.port}/`, status: 200, timeoutMs: 200 }
    expect(await lookAt(probe, deps, signal)).toMatchObject({ well: false, because: 'did not answer within 200 ms' })
  })
})

test('tcp is well when a connection is accepted, and says why it was not', async () => {
  let port: number
  {
    await using server = await mute()
    port = server.port
    expect(await lookAt({ kind: 'tcp', host: '127.0.0.1', port, timeoutMs }, deps, signal)).toMatchObject({ well: true })
  }
  const refused = await lookAt({ kind: 'tcp', host: '127.0.0.1', port, timeoutMs }, deps, signal)
  expect(refused).toMatchObject({ well: false, because: expect.stringContaining('ECONNREFUSED') as string })
})

describe('a command', () => {
  const command = (...argv: [string, ...string[]]): Probe => ({ kind: 'command', command: argv, timeoutMs })

  test('is well when it ends with 0, and what it prints is not passed on', async () => {
    expect(await lookAt(command('true'), deps, signal)).toMatchObject({ well: true })
    const failed = await lookAt(command('sh', '-c', 'echo hunter2 >&2; exit 3'), deps, signal)
    expect(failed).toMatchObject({ well: false, because: 'ended with exit code 3' })
    expect(JSON.stringify(failed)).not.toContain('hunter2')
  })

  test('that is not there is not well', async () => {
    expect(await lookAt(command('/no/such/program'), deps, signal)).toMatchObject({ well: false })
  })

  test('that hangs is not well, without waiting until it is gone', async () => {
    const hangs: Probe = { kind: 'command', command: ['sh', '-c', 'trap "" TERM; sleep 3'], timeoutMs: 200 }
    const { because, elapsedMs } = await lookAt(hangs, deps, signal)
    expect(because).toBe('did not answer within 200 ms')
    expect(elapsedMs).toBeLessThan(3000)
  })
})

test('a secret that cannot be had, or does not come, is not well', async () => {
  const probe: Probe = { kind: 'sql', sql: 'select 1', url: { env: 'NONE' }, timeoutMs: 200 }
  expect(await lookAt(probe, deps, signal)).toMatchObject({
    well: false,
    because: 'cannot be looked at: this test has no secrets',
  })
  const never = { ...deps, resolveSecret: () => new Promise<Secret>(() => {}) }
  expect(await lookAt(probe, never, signal)).toMatchObject({ well: false, because: 'did not answer within 200 ms' })
})

test('an observer that is stopped ends its looks with the reason', async () => {
  const stop = new AbortController()
  await using server = await mute()
  const looking = lookAt({ kind: 'http', url: `http://127.0.0.1:${server.port}/`, status: 200, timeoutMs }, deps, stop.signal)
  stop.abort(new Error('stopped'))
  await expect(looking).rejects.toThrow('stopped')
})
