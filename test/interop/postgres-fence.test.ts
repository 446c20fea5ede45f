import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { actions, type BoundAction } from '../../src/actions/index.ts'
import type { Catalog } from '../../src/catalog/index.ts'
import { inspectServer, openSql } from '../../src/postgres/index.ts'
import { contextIn } from '../support/plans.ts'
import { describeWith } from '../support/peers.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let folder: string
const context = () => contextIn(folder, { catalog: { services: {} } as unknown as Catalog })
const signal = new AbortController().signal
const attempt = { signal, idempotencyKey: 'r/a', attempt: 1, fencingToken: 1, timeoutMs: 60_000 }
const after = (previous: 'none' | 'failed' | 'interrupted') => ({ signal, idempotencyKey: 'r/a', previous })

function fence(params: object): BoundAction {
  const action = actions.find(({ kind }) => kind === 'postgres.fence')
  if (action === undefined) throw new Error('there is no postgres.fence')
  return action.bind({ confirmFor: '300ms', within: '10s', ...params })
}

const pidOf = async (pg: TestPostgres) => (await pg.server.running())?.pid ?? 0

/** A server with a database `shop` in it, and its URL. */
async function withShop(pg: TestPostgres): Promise<string> {
  await pg.sql('create database shop')
  const url = pg.url.replace('/postgres?', '/shop?')
  await using shop = await openSql(url)
  await shop.query('create table orders (id int)')
  return url
}

describeWith('postgresql-15', 'postgres.fence on a real PostgreSQL', () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-fence-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('a server that is stopped, with no process left, is fenced; undone, it runs as it did', async () => {
    await using pg = await startPostgres({ version: 15, settings: { wal_level: 'logical' } })
    const { systemIdentifier } = await inspectServer(pg.url)
    const action = fence({ dataDirectory: pg.dataDir, systemIdentifier })
    expect(await action.preflight(context(), signal)).toEqual([])
    expect(await action.probe(context(), after('none'))).toEqual({ state: 'not-done' })
    const output = await action.run(context(), attempt)
    expect(output).toMatchObject({ fenced: true, wasRunning: true, systemIdentifier })
    expect(await pg.server.running()).toBeUndefined()
    expect(await action.probe(context(), after('interrupted'))).toMatchObject({ state: 'done', output: { wasRunning: true } })
    expect(await action.run(context(), attempt)).toMatchObject({ wasRunning: true })
    await action.undo(output, context(), attempt)
    await action.undo(output, context(), attempt)
    expect(await pg.sql('show wal_level')).toEqual([{ wal_level: 'logical' }])
    await pg.server.stop('fast')
  })

  test('a server that was not running is fenced too, and undone, still not running', async () => {
    await using pg = await startPostgres({ version: 15 })
    await pg.server.stop('fast')
    const action = fence({ dataDirectory: pg.dataDir })
    expect(await action.run(context(), attempt)).toMatchObject({ fenced: true, wasRunning: false })
    await action.undo(null, context(), attempt)
    expect(await pg.server.running()).toBeUndefined()
  })

  test('a frozen server was told to stop and is still there: unconfirmed, and never taken for done; with force it is gone', async () => {
    await using pg = await startPostgres({ version: 15 })
    const pid = await pidOf(pg)
    process.kill(pid, 'SIGSTOP')
    try {
      const action = fence({ dataDirectory: pg.dataDir, within: '500ms' })
      await expect(action.run(context(), attempt)).rejects.toMatchObject({
        code: 'fence-unconfirmed',
        message: expect.stringContaining(`process ${pid}`) as string,
      })
      expect(await action.probe(context(), after('failed'))).toEqual({ state: 'not-done', left: true })
      const forced = fence({ dataDirectory: pg.dataDir, within: '500ms', force: true })
      expect(await forced.run(context(), attempt)).toMatchObject({ fenced: true, wasRunning: true })
    } finally {
      // Gone by now, unless the test has failed.
      if ((await pg.server.running()) !== undefined) process.kill(pid, 'SIGCONT')
    }
  })

  test('a session that outlives its killed server can still write, so it is no fence', async () => {
    await using pg = await startPostgres({ version: 15 })
    await using session = await openSql(pg.url)
    const [row] = await session.query('select pg_backend_pid() as pid')
    const backend = Number(row?.pid)
    process.kill(backend, 'SIGSTOP')
    process.kill(await pidOf(pg), 'SIGKILL')
    await expect.poll(() => pg.server.running()).toBeUndefined()
    await expect(fence({ dataDirectory: pg.dataDir, within: '300ms' }).run(context(), attempt)).rejects.toMatchObject({
      code: 'fence-unconfirmed',
      details: { pids: expect.arrayContaining([backend]) as number[] },
    })
    expect(await fence({ dataDirectory: pg.dataDir, within: '300ms', force: true }).run(context(), attempt)).toMatchObject({
      fenced: true,
    })
  })

  test('another cluster than the one that is meant is refused, and left running', async () => {
    await using pg = await startPostgres({ version: 15 })
    for (const where of [{ dataDirectory: pg.dataDir }, { url: pg.url }]) {
      const action = fence({ ...where, systemIdentifier: '1' })
      await expect(action.run(context(), attempt)).rejects.toMatchObject({ code: 'identity-mismatch' })
    }
    expect(await pg.sql('select 1 as one')).toEqual([{ one: '1' }])
  })

  test('by SQL: sessions end, every database refuses connections across a restart, and undone it takes them again', async () => {
    await using pg = await startPostgres({ version: 15 })
    const shop = await withShop(pg)
    await pg.sql('create database closed_before with allow_connections false')
    await using writer = await openSql(shop)
    const action = fence({ url: pg.url })
    expect(await action.preflight(context(), signal)).toEqual([])
    const output = await action.run(context(), attempt)
    expect(output).toMatchObject({ fenced: true, closed: ['shop', 'template1'], ended: 1 })
    await expect(writer.query('insert into orders values (1)')).rejects.toMatchObject({ code: 'postgres-unreachable' })
    await expect(openSql(shop)).rejects.toMatchObject({ details: { sqlState: '55000' } })
    await pg.server.stop('fast')
    await pg.server.start()
    // After a crash it is the probe's output that a promotion finds the fence by.
    const { ended: _ended, ...fenced } = output as Record<string, unknown>
    expect(await action.probe(context(), after('interrupted'))).toEqual({ state: 'done', output: fenced })
    await action.undo(output, context(), attempt)
    await using again = await openSql(shop)
    await again.query('insert into orders values (1)')
    expect(await pg.sql(`select datname from pg_database where not datallowconn order by 1`)).toEqual([
      { datname: 'closed_before' },
      { datname: 'template0' },
    ])
  })

  test('by SQL: a session that does not end leaves the fence unconfirmed', async () => {
    await using pg = await startPostgres({ version: 15 })
    await using writer = await openSql(await withShop(pg))
    const [row] = await writer.query('select pg_backend_pid() as pid')
    process.kill(Number(row?.pid), 'SIGSTOP')
    try {
      const action = fence({ url: pg.url, within: '300ms' })
      await expect(action.run(context(), attempt)).rejects.toMatchObject({
        code: 'fence-unconfirmed',
        message: expect.stringContaining(`process ${row?.pid}`) as string,
      })
      expect(await action.probe(context(), after('failed'))).toEqual({ state: 'not-done', left: true })
    } finally {
      process.kill(Number(row?.pid), 'SIGCONT')
    }
  })

  test('by SQL: a server that cannot be reached is not fenced', async () => {
    const action = fence({ url: 'postgresql://postgres@127.0.0.1:1/postgres' })
    await expect(action.run(context(), attempt)).rejects.toMatchObject({ code: 'postgres-unreachable' })
  })

  test('default_transaction_read_only is no fence: a session writes all the same. Nor is closing all databases but the one in use', async () => {
    await using pg = await startPostgres({ version: 15 })
    await pg.sql('create table orders (id int)')
    await pg.sql('alter system set default_transaction_read_only = on')
    await pg.sql('select pg_reload_conf()')
    await expect.poll(() => pg.sql('insert into orders values (1)').catch(() => 'refused')).toBe('refused')
    await using session = await openSql(pg.url)
    await session.query('set default_transaction_read_only = off')
    await session.query('insert into orders values (1)')
    expect(await pg.sql('select count(*) as n from orders')).toEqual([{ n: '1' }])
    const action = fence({ url: pg.url })
    expect(await action.preflight(context(), signal)).toMatchObject([{ severity: 'blocker', code: 'fence-from-used-database' }])
    await expect(action.run(context(), attempt)).rejects.toThrow(/would stay open/)
  })
})
