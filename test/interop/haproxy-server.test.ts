import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { actions, type BoundAction } from '../../src/actions/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { startHaproxy, type Haproxy } from '../support/haproxy.ts'
import { describeWith } from '../support/peers.ts'
import { contextIn } from '../support/plans.ts'

/** A server that says its name; what is asked of /slow is answered when the test says so. */
interface Named {
  readonly server: Server
  readonly port: number
  readonly waiting: ServerResponse[]
}

let folder: string
let haproxy: Haproxy
let first: Named
let second: Named
let key = 0
const signal = new AbortController().signal
const attempt = () => ({ signal, idempotencyKey: `r/${key}`, attempt: 1, fencingToken: 1, timeoutMs: 60_000 })
const after = (previous: 'none' | 'failed' | 'interrupted') => ({ signal, idempotencyKey: `r/${key}`, previous })
const context = () => contextIn(folder)

function control(params: object): BoundAction {
  const action = actions.find(({ kind }) => kind === 'haproxy.server')
  if (action === undefined) throw new Error('there is no haproxy.server')
  return action.bind({ socket: haproxy.socket, backend: 'app', server: 'first', ...params })
}

async function named(name: string): Promise<Named> {
  const waiting: ServerResponse[] = []
  const server = createServer((request, response) => {
    response.setHeader('connection', 'close')
    if (request.url === '/slow') waiting.push(response)
    else response.end(name)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, waiting, port: (server.address() as AddressInfo).port }
}

/** Who answers, as a client of the load balancer sees it. */
async function answers(): Promise<string> {
  const response = await fetch(haproxy.url, { headers: { connection: 'close' } })
  return response.ok ? await response.text() : `status ${response.status}`
}

async function say(command: string): Promise<string> {
  const { stdout } = await runProcess('socat', ['stdio', haproxy.socket], { input: `${command}\n` })
  return stdout.trim()
}

describeWith('haproxy', 'haproxy.server at a real HAProxy with real traffic', (program) => {
  beforeAll(async () => {
    first = await named('first')
    second = await named('second')
  })
  beforeEach(async () => {
    key++
    folder = await mkdtemp(join(tmpdir(), 'holdfast-haproxy-'))
    const line = (name: string, { port }: Named, more = '') => `${name} 127.0.0.1:${port} check inter 100ms fall 2 rise 1 ${more}`
    haproxy = await startHaproxy(program, folder, [line('first', first), line('second', second, 'disabled')])
  })
  afterEach(async () => {
    await haproxy[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  afterAll(() => {
    for (const { server } of [first, second]) {
      server.closeAllConnections()
      server.close()
    }
  })

  test.each(['socket', 'admin'] as const)(
    'by its %s, traffic moves to the server that is taken in, and back by the undos',
    async (way) => {
      const take = control({ socket: haproxy[way], server: 'second', state: 'ready' })
      const drain = control({ socket: haproxy[way], state: 'drain', untilDrained: true })
      expect([await take.preflight(context(), signal), await drain.preflight(context(), signal)]).toEqual([[], []])
      expect(await answers()).toBe('first')
      expect(await take.probe(context(), after('none'))).toEqual({ state: 'not-done' })
      expect(await take.run(context(), attempt())).toMatchObject({ state: 'ready', before: { told: 'maint' } })
      const inAttempt = { ...attempt(), idempotencyKey: 'drain' }
      expect(await drain.run(context(), inAttempt)).toMatchObject({ state: 'drain', sessions: 0, before: { told: 'ready' } })
      expect([await answers(), await answers(), await answers()]).toEqual(['second', 'second', 'second'])
      expect((await take.probe(context(), after('interrupted'))).state).toBe('done')

      await drain.undo(null, context(), inAttempt)
      await take.undo(null, context(), attempt())
      await take.undo(null, context(), attempt())
      expect([await answers(), await answers(), await answers()]).toEqual(['first', 'first', 'first'])
    },
  )

  test('a server is pointed to another address, and the traffic with it; the undo points it back', async () => {
    const action = control({ address: '127.0.0.1', port: second.port })
    expect(await action.run(context(), attempt())).toMatchObject({
      port: second.port,
      before: { told: 'ready', port: first.port },
    })
    expect(await answers()).toBe('second')
    expect((await action.probe(context(), after('interrupted'))).state).toBe('done')
    await action.undo(null, context(), attempt())
    expect(await answers()).toBe('first')
  })

  test('out of maintenance and to another address at once: no traffic comes to the old one', async () => {
    const action = control({ server: 'second', state: 'ready', address: '127.0.0.1', port: first.port })
    expect(await action.run(context(), attempt())).toMatchObject({ state: 'ready', port: first.port })
    await control({ state: 'maint' }).run(context(), { ...attempt(), idempotencyKey: 'out' })
    expect([await answers(), await answers()]).toEqual(['first', 'first'])
    await action.undo(null, context(), attempt())
    expect(await say('show servers state app')).toMatch(new RegExp(`second 127\\.0\\.0\\.1 0 5 .* ${second.port} `))
  })

  test('a server that is to be drained is waited for until its last session has ended', async () => {
    const slow = fetch(`${haproxy.url}slow`)
    await expect.poll(() => first.waiting.length).toBe(1)
    const short = control({ state: 'drain', untilDrained: true, within: '300ms' })
    await expect(short.run(context(), attempt())).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringMatching(/was told to be drain, and after 300 ms a session still goes on/) as string,
    })
    expect(await short.probe(context(), after('failed'))).toEqual({ state: 'not-done', left: true })
    const drained = control({ state: 'drain', untilDrained: true, within: '60s' }).run(context(), attempt())
    first.waiting.pop()?.end('first')
    expect(await drained).toMatchObject({ state: 'drain', sessions: 0, before: { told: 'ready' } })
    expect(await (await slow).text()).toBe('first')
  })

  test('sessions that still go on are ended where the step says so', async () => {
    const slow = fetch(`${haproxy.url}slow`).then(
      (response) => response.status,
      () => 'cut',
    )
    await expect.poll(() => first.waiting.length).toBe(1)
    const action = control({ state: 'maint', shutdownSessions: true, untilDrained: true })
    expect(await action.run(context(), attempt())).toMatchObject({ state: 'maint', sessions: 0 })
    expect(await slow).not.toBe(200)
    first.waiting.pop()?.destroy()
  })

  test('a server that is told to be ready and is not up is no success, and the undo takes it out again', async () => {
    const nobody = await named('nobody')
    nobody.server.close()
    const action = control({ server: 'second', state: 'ready', address: '127.0.0.1', port: nobody.port, within: '500ms' })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringMatching(/after \d+ ms it is not up: (?:DOWN|UP 1\/2)/) as string,
    })
    expect(await action.probe(context(), after('failed'))).toEqual({ state: 'not-done', left: true })
    await action.undo(null, context(), attempt())
    expect(await say('show servers state app')).toMatch(new RegExp(`second 127\\.0\\.0\\.1 0 5 .* ${second.port} `))
  })

  test('a ready server that moves is up only when it was checked where it is now', async () => {
    const nobody = await named('nobody')
    nobody.server.close()
    const params = { state: 'ready', address: '127.0.0.1' }
    const action = control({ ...params, port: nobody.port, within: '1s' })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({
      message: expect.stringContaining('is not up') as string,
    })
    await control({ ...params, port: second.port }).run(context(), { ...attempt(), idempotencyKey: 'again' })
    expect(await answers()).toBe('second')
  })

  test('a server that one failed check takes out must have stayed up for a while', async () => {
    await haproxy[Symbol.asyncDispose]()
    haproxy = await startHaproxy(program, folder, [`first 127.0.0.1:${first.port} check inter 100ms fall 1`])
    const action = control({ state: 'ready' })
    expect(await action.probe(context(), after('none'))).toEqual({ state: 'not-done' })
    await action.run(context(), attempt())
    expect((await action.probe(context(), after('none'))).state).toBe('done')
  })

  test('what is so already is done, and not taken back', async () => {
    const action = control({ state: 'ready' })
    const probed = () => action.probe(context(), after('none'))
    await expect.poll(async () => (await probed()).state, { timeout: 20_000 }).toBe('done')
    expect(await probed()).toMatchObject({ output: { before: null } })
    await action.undo(null, context(), attempt())
    expect(await answers()).toBe('first')
  })

  test('what somebody else has made of it meanwhile is not undone, and stops an interrupted step', async () => {
    const action = control({ state: 'drain' })
    await action.run(context(), attempt())
    expect(await say('set server app/first state maint')).toBe('')
    await expect(action.undo(null, context(), attempt())).rejects.toMatchObject({
      code: 'identity-mismatch',
      hint: expect.stringContaining(`ready at 127.0.0.1:${first.port}`) as string,
    })
    expect((await action.probe(context(), after('interrupted'))).state).toBe('unknown')
  })

  test.each([
    ['a backend that is not there', { backend: 'nope' }, 'not-found', /Can't find backend/],
    ['a server that is not there', { server: 'nope' }, 'not-found', /the backend app of HAProxy has no server nope/],
    ['a socket that is not there', { socket: '/nowhere/admin.sock' }, 'command-failed', /ENOENT/],
  ])('preflight stops at %s', async (_what, params, code, message) => {
    const failed = { code, message: expect.stringMatching(message) as string, hint: expect.any(String) as string }
    await expect(control({ state: 'maint', ...params }).preflight(context(), signal)).rejects.toMatchObject(failed)
    await expect(control({ state: 'maint', ...params }).run(context(), attempt())).rejects.toMatchObject(failed)
  })

  test('a socket that may only look is a blocker, and its answer an error', async () => {
    const action = control({ socket: haproxy.user, state: 'maint' })
    expect(await action.preflight(context(), signal)).toMatchObject([{ severity: 'blocker', code: 'permission-denied' }])
    await expect(action.run(context(), attempt())).rejects.toMatchObject({
      code: 'permission-denied',
      hint: 'its `stats socket` needs `level admin`',
    })
    expect(await answers()).toBe('first')
  })

  test('an answer that HAProxy gives instead of doing it is an error', async () => {
    await haproxy[Symbol.asyncDispose]()
    haproxy = await startHaproxy(program, folder, ['first nowhere.invalid:80 init-addr none'])
    await expect(control({ address: '127.0.0.1', port: first.port }).run(context(), attempt())).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('only supported through configuration file') as string,
    })
  })

  test('a connection that breaks behind the command is an unknown outcome, and the probe sees what became of it', async () => {
    const proxy = createTcpServer((client) => {
      const upstream = connect(haproxy.socket)
      client.on('error', () => {})
      client.on('data', (bytes: Buffer) => {
        upstream.write(bytes)
        if (bytes.toString().startsWith('set server')) upstream.once('data', () => client.destroy())
        else upstream.pipe(client)
      })
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const action = control({ socket: `127.0.0.1:${(proxy.address() as AddressInfo).port}`, state: 'maint' })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({ code: 'outcome-unknown', retryable: true })
    expect(await action.probe(context(), after('interrupted'))).toMatchObject({
      state: 'done',
      output: { before: { told: 'ready' } },
    })
    proxy.close()
  })

  test('the plain commands of the runbook do the same', async () => {
    const params = { server: 'second', state: 'ready', address: '127.0.0.1', port: first.port }
    for (const socket of [haproxy.socket, haproxy.admin]) {
      const { stdout, stderr, exitCode } = await runProcess('sh', [
        '-ec',
        control({ ...params, socket })
          .manual()
          .join('\n'),
      ])
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
      expect(stdout).toMatch(/^second,0,UP/m)
      const back = control({ ...params, socket })
        .manualUndo()
        .join('\n')
      const filled = back
        .replace('OLD_ADDRESS', '127.0.0.1')
        .replace('OLD_PORT', String(second.port))
        .replace('OLD_STATE', 'maint')
      const undone = await runProcess('sh', ['-ec', filled])
      expect(undone.stdout).toMatch(new RegExp(`second 127\\.0\\.0\\.1 0 5 .* ${second.port} `))
    }
  })
})
