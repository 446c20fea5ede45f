import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { actions, type ActionContext, type BoundAction } from '../../src/actions/index.ts'
import { resolveSecret } from '../../src/catalog/index.ts'
import { isHoldfastError } from '../../src/kernel/index.ts'
import { startNameServer, type NameServer } from '../support/bind.ts'
import { describeWith } from '../support/peers.ts'
import { contextIn } from '../support/plans.ts'

const secret = 'c2VjcmV0LW9mLXRoZS1rZXktZm9yLXRlc3RzIQ=='
const zone = `$TTL 3600
@ SOA ns1 hostmaster 1 3600 600 86400 5
@ NS ns1
ns1 A 127.0.0.1
api 4 A 10.0.1.10
moved 6 A 10.0.1.10
alias 3600 CNAME api
many A 10.0.1.1
many A 10.0.1.2
text TXT "a text"
`
const primary = `options { recursion no; };
key "failover" { algorithm hmac-sha256; secret "${secret}"; };
zone "example.test" { type primary; file "zone"; allow-update { key failover; }; };`
/** Asks only the primary: also its root is there. */
const resolver = (port: number) =>
  `options { recursion yes; allow-recursion { any; }; forward only; forwarders { 127.0.0.1 port ${port}; }; };`

let authority: NameServer
let cache: NameServer
let other: NameServer
const signal = new AbortController().signal
const context = (parts: Partial<ActionContext> = {}) => contextIn(authority.folder, { resolveSecret, ...parts })

function action(kind: string, params: object): BoundAction {
  const found = actions.find((one) => one.kind === kind)
  if (found === undefined) throw new Error(`there is no ${kind}`)
  return found.bind(params)
}
const check = (params: object) =>
  action('dns.check', {
    servers: [authority.address, cache.address, other.address],
    record: 'api.example.test',
    type: 'A',
    values: '10.0.1.10',
    ...params,
  })
const run = (bound: BoundAction, parts: Partial<ActionContext> = {}) =>
  bound.run(context(parts), { signal, idempotencyKey: 'r/a', attempt: 1, fencingToken: 1 })
const change = (params: object) =>
  action('dns.update', {
    server: authority.address,
    zone: 'example.test',
    key: { name: 'failover', secret: { env: 'DNS_CHECK_KEY' } },
    type: 'A',
    ...params,
  })

/** Asked again and again until it passes; the failures on the way. */
async function failuresUntilPassed(bound: BoundAction): Promise<string[]> {
  const failures: string[] = []
  await expect
    .poll(
      async () => {
        try {
          await run(bound)
          return 'passed'
        } catch (error) {
          failures.push((error as Error).message)
          return isHoldfastError(error, 'command-failed') && error.retryable
        }
      },
      { timeout: 60_000, interval: 100 },
    )
    .toBe('passed')
  return failures
}

describeWith('bind9', 'dns.check with a real authority and resolvers that remember', (named) => {
  beforeAll(async () => {
    process.env.DNS_CHECK_KEY = secret
    authority = await startNameServer(named, () => ({ named: primary, files: { zone } }))
    ;[cache, other] = (await Promise.all(
      [1, 2].map(() => startNameServer(named, () => ({ named: resolver(authority.port) }))),
    )) as [NameServer, NameServer]
  })
  afterAll(async () => {
    for (const server of [cache, other, authority]) await server[Symbol.asyncDispose]()
    delete process.env.DNS_CHECK_KEY
  })

  test('it passes when all give the values, and says for how long each is remembered', async () => {
    expect(await check({}).preflight(context(), signal)).toEqual([])
    expect(await run(check({}))).toMatchObject({
      name: 'api.example.test.',
      values: ['10.0.1.10'],
      servers: [{ server: authority.address, ttl: 4 }, { server: cache.address }, { server: other.address }],
    })
  })

  test('after a change it fails as long as one resolver remembers, names it and for how long, and passes when it has forgotten', async () => {
    const moved = { record: 'moved.example.test' }
    const now = check({ ...moved, values: '10.0.2.100' })
    await run(check({ ...moved, servers: [cache.address] }))
    await run(change({ ...moved, values: '10.0.2.100', ttl: '4s' }))
    expect(await run(check({ ...moved, servers: [authority.address], values: '10.0.2.100' }))).toMatchObject({
      values: ['10.0.2.100'],
    })
    const [first] = await failuresUntilPassed(now)
    const expected = `^moved\\.example\\.test\\. is not 10\\.0\\.2\\.100 for everybody: ${cache.address} says 10\\.0\\.1\\.10, for up to another [1-6] s`
    expect(first).toMatch(new RegExp(expected))
  })

  test('that a name did not exist is remembered too', async () => {
    const now = check({ record: 'new.example.test', values: '10.0.2.101' })
    await expect(run(now)).rejects.toMatchObject({
      message: expect.stringMatching(/says that it does not exist, for up to another [1-5] s/) as string,
      details: { remainingSeconds: 5 },
    })
    await run(change({ record: 'new.example.test', values: '10.0.2.101' }))
    const failures = await failuresUntilPassed(now)
    expect(failures[0]).toContain(`${cache.address} says that it does not exist`)
  })

  test('caches of others are waited for until the given time', async () => {
    const at = (time: string) => ({ clock: { ...context().clock, now: () => new Date(time) } })
    const later = check({
      servers: [authority.address],
      record: 'many.example.test',
      values: ['10.0.1.2', '10.0.1.1'],
      staleUntil: '2026-11-26T12:00:00.000Z',
    })
    await expect(run(later, at('2026-11-26T11:59:20Z'))).rejects.toMatchObject({
      message: expect.stringContaining('others may remember what it was for another 40 s') as string,
      details: { remainingSeconds: 40 },
    })
    expect(await run(later, at('2026-11-26T12:00:00Z'))).toMatchObject({ values: ['10.0.1.2', '10.0.1.1'] })
  })

  test('an alias is followed, and remembered for as long as what it leads to', async () => {
    const answer = (await run(check({ servers: [authority.address], record: 'alias.example.test' }))) as {
      servers: { ttl: number }[]
    }
    expect(answer.servers.map(({ ttl }) => ttl)).toEqual([4])
    await run(check({ record: 'alias.example.test', type: 'CNAME', values: 'API.example.test' }))
  })

  test.each([
    [{ record: 'many.example.test', values: '10.0.1.1' }, /says 10\.0\.1\.1, 10\.0\.1\.2/],
    [{ record: 'many.example.test', values: '10.0.1.3', match: 'including' }, /says 10\.0\.1\.1, 10\.0\.1\.2/],
    [{ record: 'text.example.test', type: 'TXT', values: 'A text' }, /says a text/],
  ])('%j does not fit', async (params, message) => {
    await expect(run(check({ servers: [authority.address], ...params }))).rejects.toMatchObject({
      message: expect.stringMatching(message) as string,
    })
  })

  test('more than the values fits where it says so', async () => {
    expect(await run(check({ record: 'many.example.test', values: '10.0.1.1', match: 'including' }))).toBeTypeOf('object')
  })

  test('a server that refuses or does not answer fails it, and preflight warns', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const nobody = `127.0.0.1:${silent.address().port}`
    const refused = check({ servers: [authority.address, nobody], record: 'www.example.net', queryTimeout: '300ms' })
    const message = expect.stringMatching(
      new RegExp(`${authority.address} answers REFUSED; ${nobody} does not answer: no answer within 300 ms`),
    ) as string
    await expect(run(refused)).rejects.toMatchObject({ message })
    expect(await refused.preflight(context(), signal)).toMatchObject([
      { severity: 'warning', code: 'dns-server-silent' },
      { severity: 'warning', code: 'dns-server-silent' },
    ])
    silent.close()
  })

  test('asking nobody is no check, and a day that does not exist is nothing to wait for', () => {
    expect(() => check({ servers: [] })).toThrow(/servers/)
    expect(() => check({ staleUntil: '2026-13-01T00:00:00Z' })).toThrow(/staleUntil/)
  })
})
