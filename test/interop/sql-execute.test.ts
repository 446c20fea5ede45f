import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actions, type BoundAction } from '../../src/actions/index.ts'
import { openSql } from '../../src/postgres/index.ts'
import { contextIn } from '../support/plans.ts'
import { describeWith } from '../support/peers.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { cuttingProxy, type CuttingProxy } from '../support/postgres-cut.ts'

let folder: string
let pg: TestPostgres
let proxy: CuttingProxy
let key = 0

const add = "insert into orders values (1, 'a')"
const throughProxy = () => `postgresql://postgres:hunter2@127.0.0.1:${proxy.port}/postgres`
const context = () => contextIn(folder)
const attempt = (signal = new AbortController().signal) => ({
  signal,
  idempotencyKey: `r/a${key}`,
  attempt: 1,
  fencingToken: 1,
  timeoutMs: 4000,
})
const probing = () => ({ signal: new AbortController().signal, idempotencyKey: `r/a${key}`, previous: 'interrupted' as const })

function execute(params: object): BoundAction {
  const action = actions.find(({ kind }) => kind === 'sql.execute')
  if (action === undefined) throw new Error('there is no sql.execute')
  return action.bind({ url: throughProxy(), ...params })
}

const run = (params: object) => execute(params).run(context(), attempt())
const orders = async () => Number((await pg.sql('select count(*) as n from orders'))[0]?.n)

describeWith('postgresql-15', 'sql.execute on a real PostgreSQL', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-sql-'))
    pg = await startPostgres({ version: 15, listen: 'loopback', password: 'hunter2' })
    proxy = await cuttingProxy((await pg.server.running())?.port ?? 0)
  })
  beforeEach(async () => {
    key++
    await pg.sql('drop table if exists orders')
    await pg.sql('create table orders (id int primary key, name text)')
  })
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await pg[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  test('statements run in one transaction, and their rows are read back', async () => {
    const sql = [
      add,
      "insert into orders values (2, 'b; c'), (3, '')",
      "update orders set name = 'x' where id > 1",
      'create table made ()',
      'drop table made',
    ]
    expect(await run({ sql })).toMatchObject({
      rows: 5,
      statements: [{ command: 'INSERT', rows: 1 }, { rows: 2 }, { command: 'UPDATE', rows: 2 }, { command: 'CREATE' }, {}],
    })
    expect(await orders()).toBe(3)
  })

  test('when one fails, none is done', async () => {
    await expect(run({ sql: [add, add] })).rejects.toMatchObject({ code: 'postgres-failed', details: { sqlState: '23505' } })
    expect(await orders()).toBe(0)
  })

  test('a constraint that fails at COMMIT is a failure that is known', async () => {
    await pg.sql('alter table orders add constraint later unique (name) deferrable initially deferred')
    await expect(run({ sql: [add, "insert into orders values (2, 'a')"] })).rejects.toMatchObject({ code: 'postgres-failed' })
    expect(await orders()).toBe(0)
  })

  test.for([
    ['several statements in one text', `${add}; drop table orders`],
    ['a COMMIT among them', 'commit'],
    ['a COMMIT behind comments that nest', '/* a /* b */ */ -- c\n ; COMMIT'],
    ['a ROLLBACK', 'Rollback'],
  ])('%s: refused, and nothing is done', async ([, sql]) => {
    await expect(run({ sql: [add, sql] })).rejects.toMatchObject({ code: 'usage' })
    expect(await orders()).toBe(0)
  })

  test('an output of another step within SQL is refused', () => {
    expect(() => execute({ sql: "select '${steps.a.name}'" })).toThrow(/cannot stand within SQL/)
  })

  test('a lock that is not had in time is a failure, not an endless wait', async () => {
    await using holder = await openSql(pg.url)
    await holder.query('begin')
    await holder.query('lock table orders')
    await expect(run({ sql: add, lockTimeout: '200ms' })).rejects.toMatchObject({ details: { sqlState: '55P03' } })
  })

  test('a statement that takes too long is ended by the server before the step is', async () => {
    const slow = execute({ sql: 'select pg_sleep(30)' }).run(context(), { ...attempt(), timeoutMs: 300 })
    await expect(slow).rejects.toMatchObject({ details: { sqlState: '57014' } })
  })

  test('a COMMIT that never reached the server is a rollback, and known to be one', async () => {
    proxy.cutAtCommit('request')
    await expect(run({ sql: add })).rejects.toMatchObject({
      code: 'postgres-failed',
      message: expect.stringContaining('rolled back') as string,
    })
    expect(await orders()).toBe(0)
  })

  test('a COMMIT whose answer is lost is done: the server is asked by the number of the transaction', async () => {
    proxy.cutAtCommit('answer')
    expect(await run({ sql: add })).toEqual({ transaction: expect.stringMatching(/^\d+$/) as string })
    expect(await orders()).toBe(1)
  })

  test('when the server is gone after a COMMIT nobody knows, until it is back', async () => {
    proxy.cutAtCommit('answer', () => pg.server.kill())
    await expect(run({ sql: add })).rejects.toMatchObject({ code: 'outcome-unknown', retryable: true })
    expect((await execute({ sql: add }).probe(context(), probing())).state).toBe('unknown')
    await pg.server.start()
    expect((await execute({ sql: add }).probe(context(), probing())).state).toBe('done')
    expect(await orders()).toBe(1)
  })

  test('interrupted at COMMIT, it is looked up by who comes after', async () => {
    const controller = new AbortController()
    proxy.cutAtCommit('answer', async () => controller.abort(new Error('stop')))
    await expect(execute({ sql: add }).run(context(), attempt(controller.signal))).rejects.toThrow('stop')
    expect((await execute({ sql: add }).probe(context(), probing())).state).toBe('done')
  })

  test('interrupted before COMMIT, it is not done', async () => {
    const controller = new AbortController()
    const running = execute({ sql: [add, 'select pg_sleep(30)'] }).run(context(), attempt(controller.signal))
    await expect.poll(() => pg.sql(`select 1 from pg_stat_activity where query ~ '^select pg_sleep'`)).toHaveLength(1)
    controller.abort(new Error('stop'))
    await expect(running).rejects.toThrow('stop')
    expect(await execute({ sql: add }).probe(context(), probing())).toEqual({ state: 'not-done' })
    // The server notices by itself that nobody waits any more, and lets go of the locks.
    await expect
      .poll(() => pg.sql(`select 1 from pg_stat_activity where query ~ '^select pg_sleep'`), { timeout: 10_000 })
      .toEqual([])
  })

  test('on a server that another has taken the place of, the outcome is unknown', async () => {
    proxy.cutAtCommit('answer')
    await run({ sql: add })
    await using other = await startPostgres({ version: 15 })
    const moved = execute({ sql: add, url: other.url })
    expect(await moved.probe(context(), probing())).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('another server') as string,
    })
  })

  test('a probe of its own decides: true, false, or unknown', async () => {
    const state = async (probe: string) => (await execute({ sql: add, probe }).probe(context(), probing())).state
    const seen = []
    for (const probe of [
      'select true',
      'select 1 > 2',
      'select null::bool',
      'select true where false',
      'select 1/0',
      'delete from orders returning true',
    ])
      seen.push(await state(probe))
    expect(seen).toEqual(['done', 'not-done', 'unknown', 'unknown', 'unknown', 'unknown'])
  })

  test('its undo takes it back, and no password is in an error', async () => {
    const action = execute({ sql: add, undo: 'delete from orders where id = 1' })
    await action.run(context(), attempt())
    await action.undo(null, context(), attempt())
    await action.undo(null, context(), attempt())
    expect(await orders()).toBe(0)
    await expect(run({ sql: add, url: 'postgresql://me:hunter2@127.0.0.1:1/db' })).rejects.not.toThrow(/hunter2/)
  })
})
