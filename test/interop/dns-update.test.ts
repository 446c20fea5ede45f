import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actions, type ActionContext, type BoundAction } from '../../src/actions/index.ts'
import { resolveSecret } from '../../src/catalog/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { startNameServer, type NameServer } from '../support/bind.ts'
import { dnsProxy } from '../support/dns-cut.ts'
import { describeWith } from '../support/peers.ts'
import { contextIn } from '../support/plans.ts'
import { testProgram } from '../support/program.ts'

const zoneFile = `$TTL 3600
@ SOA ns1 hostmaster 1 3600 600 86400 120
@ NS ns1
ns1 A 127.0.0.1
api 300 A 10.0.1.10
api 300 A 10.0.1.11
slow A 10.0.1.20
alias CNAME api
note TXT "first" "second"
*.wild A 10.0.1.30
inner NS ns.inner
ns.inner A 127.0.0.1
`
const secrets = { DNS_KEY: 'c2VjcmV0LW9mLXRoZS1rZXktZm9yLXRlc3RzIQ==', OTHER_KEY: 'YW5vdGhlci1zZWNyZXQtb2YtYW5vdGhlci1rZXkh' }
const config = `options { recursion no; };
key "failover" { algorithm hmac-sha256; secret "${secrets.DNS_KEY}"; };
key "strong" { algorithm hmac-sha512; secret "${secrets.DNS_KEY}"; };
key "limited" { algorithm hmac-sha256; secret "${secrets.DNS_KEY}"; };
zone "example.test" { type primary; file "zone";
  update-policy { grant failover zonesub ANY; grant strong zonesub ANY; grant limited name other.example.test. ANY; }; };`

let server: NameServer
let folder: string
let key = 0
const signal = new AbortController().signal
const attempt = () => ({ signal, idempotencyKey: `r/${key}`, attempt: 1, fencingToken: 1 })
const after = (previous: 'none' | 'failed' | 'interrupted') => ({ signal, idempotencyKey: `r/${key}`, previous })
const context = (parts: Partial<ActionContext> = {}) => contextIn(folder, { resolveSecret, ...parts })

const api = {
  server: '',
  zone: 'example.test',
  record: 'api.example.test',
  type: 'A',
  values: ['10.0.2.100'] as string | string[],
}
function update(more: object = {}): BoundAction {
  const action = actions.find(({ kind }) => kind === 'dns.update')
  if (action === undefined) throw new Error('there is no dns.update')
  const keyed = { key: { name: 'failover', secret: { env: 'DNS_KEY' } } }
  return action.bind({ ...api, server: server.address, ...keyed, ...more })
}
const keyNamed = (name: string, parts: object = {}) => ({ key: { name, secret: { env: 'DNS_KEY' }, ...parts } })

/** As somebody else changes the zone. */
async function nsupdate(...lines: string[]): Promise<void> {
  const input = [`server 127.0.0.1 ${server.port}`, `key hmac-sha256:failover ${secrets.DNS_KEY}`, ...lines, 'send', ''].join(
    '\n',
  )
  const { exitCode, stderr } = await runProcess('nsupdate', ['-v'], { input })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
}

const originalApi = ['300 10.0.1.10', '300 10.0.1.11']
const apiNow = async () => (await server.dig('api.example.test', 'A')).toSorted()

describeWith('bind9', 'dns.update at a real BIND', (named) => {
  beforeAll(async () => {
    Object.assign(process.env, secrets)
    folder = await mkdtemp(join(tmpdir(), 'holdfast-dns-'))
    server = await startNameServer(named, () => ({ named: config, files: { zone: zoneFile } }))
  })
  beforeEach(async () => {
    key++
    await nsupdate(
      'update delete api.example.test A',
      ...['10.0.1.10', '10.0.1.11'].map((address) => `update add api.example.test 300 A ${address}`),
    )
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
    for (const name of Object.keys(secrets)) Reflect.deleteProperty(process.env, name)
  })

  test.each(['tcp', 'udp'])(
    'over %s it replaces the whole record set, reads it back, and the undo restores exactly what was',
    async (transport) => {
      const action = update({ transport })
      expect(await action.preflight(context(), signal)).toEqual([])
      expect(await action.probe(context(), after('none'))).toEqual({ state: 'not-done' })
      expect(await apiNow()).toEqual(originalApi)
      expect(await action.run(context(), attempt())).toMatchObject({
        name: 'api.example.test.',
        values: ['10.0.2.100'],
        ttl: 60,
        before: { values: ['10.0.1.10', '10.0.1.11'], ttl: 300 },
        changed: true,
      })
      expect(await apiNow()).toEqual(['60 10.0.2.100'])
      expect(await action.probe(context(), after('interrupted'))).toMatchObject({
        state: 'done',
        output: { before: { ttl: 300 } },
      })
      await action.undo(null, context(), attempt())
      await action.undo(null, context(), attempt())
      expect(await apiNow()).toEqual(originalApi)
    },
  )

  test('the clients’ caches are forgotten when the TTL of the old record has passed', async () => {
    const earliest = Date.now() + 300_000
    const { staleUntil } = (await update().run(context(), attempt())) as { staleUntil: string }
    expect(Date.parse(staleUntil)).toBeGreaterThanOrEqual(earliest)
    expect(Date.parse(staleUntil)).toBeLessThanOrEqual(Date.now() + 300_000)
  })

  test.each([
    ['AAAA', 'six.example.test', ['2001:DB8:0::1', '::ffff:10.0.0.1'], ['60 2001:db8::1', '60 ::ffff:10.0.0.1']],
    ['CNAME', 'new.example.test', 'api.example.test', ['60 api.example.test.']],
    ['TXT', 'text.example.test', `a "quoted" \\ text with ü, ${'x'.repeat(300)}`, undefined],
  ])('a record that was not there is made, %s, and is gone after the undo', async (type, record, values, shown) => {
    const action = update({ type, record, values })
    expect(await action.preflight(context(), signal)).toEqual([])
    expect(await action.run(context(), attempt())).toMatchObject({ before: null, changed: true })
    expect((await action.probe(context(), after('interrupted'))).state).toBe('done')
    const found = await server.dig(record, type)
    expect(shown === undefined ? found.length : found.toSorted()).toEqual(shown === undefined ? 1 : shown.toSorted())
    await action.undo(null, context(), attempt())
    expect(await server.dig(record, type)).toEqual([])
  })

  test('a text of several strings comes back byte for byte', async () => {
    const before = await server.dig('note.example.test', 'TXT')
    const action = update({ type: 'TXT', record: 'note.example.test', values: 'firstsecond' })
    await action.run(context(), attempt())
    expect(await server.dig('note.example.test', 'TXT')).toEqual(['60 "firstsecond"'])
    await action.undo(null, context(), attempt())
    expect(await server.dig('note.example.test', 'TXT')).toEqual(before)
  })

  test('what is right already is not changed, and the undo has nothing to take back', async () => {
    const action = update({ values: ['10.0.1.11', '10.0.1.10'], ttl: '300s' })
    expect(await action.probe(context(), after('none'))).toMatchObject({ state: 'done', output: { changed: false } })
    expect(await action.run(context(), attempt())).toMatchObject({ changed: false })
    await action.undo(null, context(), attempt())
    expect(await apiNow()).toEqual(originalApi)
  })

  test('a record that a wildcard answers for is made beside it, not instead of it', async () => {
    const action = update({ record: 'a.wild.example.test' })
    expect(await action.run(context(), attempt())).toMatchObject({ before: null })
    expect(await server.dig('b.wild.example.test', 'A')).toEqual(['3600 10.0.1.30'])
    await action.undo(null, context(), attempt())
    expect(await server.dig('a.wild.example.test', 'A')).toEqual(['3600 10.0.1.30'])
  })

  test('preflight says for how long clients keep what is there, and what is not', async () => {
    const findings = await update({ record: 'slow.example.test' }).preflight(context(), signal)
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        code: 'dns-ttl-long',
        message: expect.stringContaining('remember 10.0.1.20 for another 1 h') as string,
      },
    ])
    expect(await update({ record: 'none.example.test', maxTtl: '60s' }).preflight(context(), signal)).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('remember that it does not exist for another 2 min') as string },
    ])
  })

  test.each([
    ['a key that the server does not know', keyNamed('nobody'), 'permission-denied', /does not know the key nobody/],
    [
      'a key of another algorithm',
      keyNamed('failover', { algorithm: 'hmac-sha512' }),
      'permission-denied',
      /does not know the key failover, or not with hmac-sha512/,
    ],
    [
      'another secret',
      { key: { name: 'failover', secret: { env: 'OTHER_KEY' } } },
      'permission-denied',
      /another secret for the key failover/,
    ],
    [
      'a key that may not change this record',
      keyNamed('limited'),
      'permission-denied',
      /refuses an update of example\.test with the key limited/,
    ],
    ['a zone of somebody else', { zone: 'example.net', record: 'api.example.net' }, 'permission-denied', /refuses a question/],
    ['a part of the zone as the zone', { zone: 'api.example.test' }, 'not-found', /not the authority/],
    ['a name that is delegated', { record: 'a.inner.example.test' }, 'not-found', /or for all of it/],
    ['an address beside an alias', { record: 'alias.example.test' }, 'command-failed', /is an alias of api\.example\.test\./],
    ['an alias beside an address', { type: 'CNAME', values: 'ns1.example.test' }, 'command-failed', /records of other types/],
  ])('preflight stops at %s, and so does the step, with nothing changed', async (_what, params, code, message) => {
    const refused = { code, message: expect.stringMatching(message) as string, hint: expect.any(String) as string }
    await expect(update(params).preflight(context(), signal)).rejects.toMatchObject(refused)
    await expect(update(params).run(context(), attempt())).rejects.toMatchObject(refused)
    expect(await apiNow()).toEqual(originalApi)
  })

  test('another key with a longer hash works as well', async () => {
    await update(keyNamed('strong', { algorithm: 'hmac-sha512' })).run(context(), attempt())
    expect(await apiNow()).toEqual(['60 10.0.2.100'])
  })

  test('clocks that do not agree are named as the reason, and by how much', async () => {
    const clock = { ...context().clock, now: () => new Date(Date.now() - 3_600_000) }
    await expect(update().preflight(context({ clock }), signal)).rejects.toMatchObject({
      message: expect.stringMatching(/clocks of .* do not agree: they are 3(?:599|600|601) s apart/) as string,
      hint: 'set them by NTP',
    })
  })

  test('a server that is not there is a clear failure, and not done', async () => {
    await server.stop()
    try {
      for (const transport of ['tcp', 'udp']) {
        const action = update({ transport })
        const failed = { code: 'command-failed', message: expect.stringContaining('ECONNREFUSED') as string }
        await expect(action.preflight(context(), signal)).rejects.toMatchObject(failed)
        await expect(action.run(context(), attempt())).rejects.toMatchObject(failed)
        expect(await action.probe(context(), after('failed'))).toEqual({ state: 'not-done' })
      }
    } finally {
      await server.start()
    }
  })

  test('an update whose answer is lost is an unknown outcome, and the probe sees that it was made', async () => {
    await using proxy = await dnsProxy(server.port)
    proxy.atUpdate('answer lost')
    const action = update({ server: proxy.address })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({ code: 'outcome-unknown', retryable: true })
    expect(await action.probe(context(), after('interrupted'))).toMatchObject({
      state: 'done',
      output: { before: { values: ['10.0.1.10', '10.0.1.11'] }, changed: true },
    })
    await action.undo(null, context(), attempt())
    expect(await apiNow()).toEqual(originalApi)
  })

  test('an update that is lost on its way, and the server with it, is unknown until the server can be asked', async () => {
    await using proxy = await dnsProxy(server.port)
    proxy.atUpdate('request lost', () => server.stop())
    const action = update({ server: proxy.address })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({ code: 'outcome-unknown' })
    expect(await action.probe(context(), after('interrupted'))).toMatchObject({ state: 'unknown' })
    await server.start()
    expect(await action.probe(context(), after('interrupted'))).toEqual({ state: 'not-done' })
    expect(await apiNow()).toEqual(originalApi)
  })

  test('silence is an unknown outcome for an update over UDP, which is sent once', async () => {
    const silent = createSocket('udp4')
    const seen: Buffer[] = []
    const relay = createSocket('udp4')
    silent.bind(0, '127.0.0.1')
    await once(silent, 'listening')
    let client = 0
    // Looks are relayed; what would change something is swallowed.
    silent.on('message', (bytes, { port }) => {
      client = port
      if (bytes.readUInt8(2) >> 3 === 5 && bytes.readUInt16BE(8) > 1) seen.push(bytes)
      else relay.send(bytes, server.port, '127.0.0.1')
    })
    relay.on('message', (bytes) => silent.send(bytes, client, '127.0.0.1'))
    const { port } = silent.address()
    const action = update({ server: `127.0.0.1:${port}`, transport: 'udp', queryTimeout: '2500ms' })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({
      code: 'outcome-unknown',
      message: expect.stringContaining('no answer within 2500 ms') as string,
    })
    expect(seen).toHaveLength(1)
    expect(await action.probe(context(), after('interrupted'))).toEqual({ state: 'not-done' })
    silent.close()
    relay.close()
  })

  test.each([
    ['before it came to the server', 'request lost', 'not-done', originalApi],
    ['before its answer came back', 'answer lost', 'done', ['60 10.0.2.100']],
  ] as const)(
    'killed with SIGKILL between note and end, %s, it goes on to the right end and back',
    async (_when, what, state, standing) => {
      await using proxy = await dnsProxy(server.port)
      const params = { ...api, server: proxy.address, ...keyNamed('failover') }
      const program = testProgram('interop/dns-update-process')
      const home = await mkdtemp(join(folder, 'killed-'))
      const child = spawn(process.execPath, [program, home, JSON.stringify(params)], { stdio: 'inherit' })
      const ended = once(child, 'exit')
      proxy.atUpdate(what, async () => {
        child.kill('SIGKILL')
        await ended
      })
      expect((await ended)[1]).toBe('SIGKILL')
      expect(await apiNow()).toEqual(standing)

      const [action, resumed] = [update({ server: proxy.address }), contextIn(home, { resolveSecret })]
      const own = { ...attempt(), idempotencyKey: 'killed' }
      expect((await action.probe(resumed, { ...after('interrupted'), idempotencyKey: 'killed' })).state).toBe(state)
      await action.run(resumed, own)
      expect(await apiNow()).toEqual(['60 10.0.2.100'])
      await action.undo(null, resumed, own)
      expect(await apiNow()).toEqual(originalApi)
    },
  )

  test('what somebody else has made of it meanwhile is not overwritten by the undo, and stops an interrupted step', async () => {
    const action = update()
    await action.run(context(), attempt())
    await nsupdate('update delete api.example.test A', 'update add api.example.test 60 A 10.9.9.9')
    await expect(action.undo(null, context(), attempt())).rejects.toMatchObject({
      code: 'identity-mismatch',
      message: expect.stringContaining('changed by somebody else since, to 10.9.9.9 (60 s)') as string,
      hint: expect.stringContaining('before the step it was 10.0.1.10, 10.0.1.11 (300 s)') as string,
    })
    expect(await action.probe(context(), after('interrupted'))).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('somebody else changes it') as string,
    })
    expect(await apiNow()).toEqual(['60 10.9.9.9'])
  })

  test('a change that comes between the look and the update is not overwritten', async () => {
    await using proxy = await dnsProxy(server.port)
    proxy.atUpdate('late', () => nsupdate('update add api.example.test 300 A 10.9.9.9'))
    const action = update({ server: proxy.address })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('nothing was done') as string,
    })
    expect((await action.probe(context(), after('failed'))).state).toBe('unknown')
    expect(await apiNow()).toEqual([...originalApi, '300 10.9.9.9'])
  })

  test('an answer that the server has not signed is not believed', async () => {
    await using proxy = await dnsProxy(server.port)
    proxy.atUpdate('answer forged')
    const action = update({ server: proxy.address })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({
      code: 'outcome-unknown',
      message: expect.stringContaining('its signature does not fit') as string,
    })
  })

  test('the plain commands of the runbook do the same', async () => {
    const action = update({ values: ['10.0.2.100', '10.0.2.101'] })
    const { stderr, stdout, exitCode } = await runProcess('sh', ['-ec', action.manual().join('\n')])
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    expect(stdout).toContain('10.0.1.10')
    expect(await apiNow()).toEqual(['60 10.0.2.100', '60 10.0.2.101'])
    const back = action.manualUndo().join('\n').replaceAll('OLD_TTL', '300').replaceAll('OLD_VALUE', '10.0.1.10')
    expect((await runProcess('sh', ['-ec', back])).exitCode).toBe(0)
    expect(await apiNow()).toEqual(['300 10.0.1.10'])
    expect([...action.manual(), ...action.manualUndo()].join('\n')).not.toContain(secrets.DNS_KEY)
  })

  test('the plain commands write a text as a zone file does', async () => {
    const action = update({ type: 'TXT', record: 'text2.example.test', values: `it's "quoted" \\ ü ${'x'.repeat(300)}` })
    expect((await runProcess('sh', ['-ec', action.manual().join('\n')])).exitCode).toBe(0)
    expect((await action.probe(context(), after('none'))).state).toBe('done')
  })
})
