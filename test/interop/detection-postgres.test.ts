import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Probe } from '../../src/catalog/index.ts'
import { lookAt } from '../../src/detection/look.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { detectionCatalog, healthService, holdfastProcess } from '../support/detection.ts'
import { holdfast } from '../support/holdfast.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { line, type Line } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const signal = new AbortController().signal
const deps = { clock: systemClock, resolveSecret: () => Promise.reject(new Error('no secrets')) }
const names = ['north', 'south', 'east'] as const

describe('a real PostgreSQL, watched', () => {
  let pg: TestPostgres
  beforeAll(async () => {
    pg = await startPostgres({ version: 18, listen: 'loopback', password: 'right' })
    await pg.sql('create table beat (at timestamptz)')
  })
  afterAll(() => pg[Symbol.asyncDispose]())

  const sql = (query: string): Probe => ({ kind: 'sql', sql: query, url: pg.url, timeoutMs: 10_000 })
  const heartbeat: () => Probe = () => ({
    kind: 'heartbeat',
    sql: 'select max(at) from beat',
    url: pg.url,
    maxAgeMs: 30_000,
    timeoutMs: 10_000,
  })

  test.each([
    ['select 1', undefined],
    ['select true', undefined],
    ['select false', 'the query gave false'],
    ['select 1 where false', 'the query gave no row'],
    ['select * from nothing', 'nothing'],
  ])('%s', async (query, because) => {
    const seen = await lookAt(sql(query), deps, signal)
    expect(seen.well).toBe(because === undefined)
    expect(seen.because ?? '').toContain(because ?? '')
  })

  test('a query that hangs is not well, and leaves no session behind', async () => {
    const seen = await lookAt({ kind: 'sql', sql: 'select pg_sleep(60)', url: pg.url, timeoutMs: 300 }, deps, signal)
    expect(seen).toMatchObject({ well: false, because: 'did not answer within 300 ms' })
    const left = () =>
      pg.sql("select pid from pg_stat_activity where application_name = 'holdfast observer' and state = 'active'")
    await pg.sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()",
    )
    await until('until its session is gone', left, (rows) => rows.length === 0)
  })

  test('a heartbeat is judged by its age on the server: none, an old one and a future one are not well', async () => {
    expect(await lookAt(heartbeat(), deps, signal)).toMatchObject({ well: false, because: 'there is no heartbeat' })
    await pg.sql("insert into beat values (now() - interval '1 hour')")
    expect((await lookAt(heartbeat(), deps, signal)).because).toMatch(/^the newest heartbeat is 1 h/)
    await pg.sql('insert into beat values (now())')
    expect(await lookAt(heartbeat(), deps, signal)).toMatchObject({ well: true })
    await pg.sql("insert into beat values (now() + interval '1 hour')")
    expect((await lookAt(heartbeat(), deps, signal)).because).toMatch(/in the future$/)
    await pg.sql('delete from beat')
  })

  /** Each observer reaches the database, and its own reference, by a way of its own that can be cut. */
  test('observers whose own network is cut, one by one, are blind and no vote; the server killed is down', async () => {
    await using stack = new AsyncDisposableStack()
    const port = (await pg.server.running())?.port ?? 0
    const elsewhere = stack.use(await healthService())
    const ways = new Map<string, { readonly service: Line; readonly reference: Line }>()
    for (const name of names) {
      ways.set(name, { service: stack.use(await line(port)), reference: stack.use(await line(elsewhere.port)) })
    }
    const referenceOf = (name: string) => ({ http: `http://127.0.0.1:${ways.get(name)?.reference.port}/`, timeout: '1s' })
    const watched = stack.use(
      await detectionCatalog({
        probes: [{ sql: 'select 1', url: { env: 'ORDERS_URL' }, timeout: '2s' }],
        observers: {
          north: { reference: referenceOf('north') },
          south: { reference: referenceOf('south') },
          east: { reference: referenceOf('east') },
        },
        detection: { decide: 'auto' },
        steps: (folder) => [{ id: 'act', do: { shell: { run: `echo begun >> '${folder}/effects'`, undo: 'true' } } }],
      }),
    )
    const url = (name: string) => `postgresql://postgres:right@127.0.0.1:${ways.get(name)?.service.port}/postgres`
    for (const name of names) {
      stack.use(holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', name], { ORDERS_URL: url(name) }))
    }
    await watched.whenIt('healthy')
    const saying = async (what: string) => (await watched.look()).observers.filter(({ says }) => says === what).length

    const cut = (name: string) => {
      ways.get(name)?.reference.cut()
      ways.get(name)?.service.cut()
    }
    cut('north')
    await until(
      'until one is blind',
      () => saying('blind'),
      (count) => count === 1,
    )
    await watched.whenIt('healthy')
    cut('south')
    await until(
      'until two are blind',
      () => saying('blind'),
      (count) => count === 2,
    )
    // Longer than the hold time: had they been votes, it would be down by now.
    await delay(2000)
    const refused = await holdfast(['--catalog', watched.catalog, '--json', 'detect', 'web', '--act'])
    expect(refused.exitCode).toBe(4)
    expect(refused.json()).toMatchObject({ verdict: 'unknown', because: 'too-few-observers' })
    expect(await watched.runs()).toEqual([])

    for (const name of names) {
      ways.get(name)?.service.mend()
      ways.get(name)?.reference.mend()
    }
    await watched.whenIt('healthy')
    await pg.server.stop('immediate')
    const found = await watched.whenIt('down')
    expect(found.start).toMatchObject({ start: true })
    expect(JSON.stringify(found)).not.toContain('postgresql://')
    const acted = await holdfast(['--catalog', watched.catalog, '--json', 'detect', 'web', '--act'])
    expect(acted.json()).toMatchObject({ result: { status: 'succeeded', timing: { onsetAt: expect.any(String) as string } } })
    expect(await watched.runs()).toHaveLength(1)
  })
})
