import { afterAll, beforeAll, expect, test } from 'vitest'
import { actions } from '../../src/actions/index.ts'
import { Secret } from '../../src/catalog/index.ts'
import type { Json } from '../../src/kernel/index.ts'
import { contextIn } from '../support/plans.ts'
import { describeWith } from '../support/peers.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let pg: TestPostgres
const secret = { env: 'URL_FOR_TEST' }

async function check(params: object): Promise<Json> {
  const action = actions.find(({ kind }) => kind === 'sql.check')
  if (action === undefined) throw new Error('there is no sql.check')
  const context = contextIn('/nowhere', { resolveSecret: async () => new Secret(pg.url, secret) })
  const attempt = { signal: new AbortController().signal, idempotencyKey: 'r/a', attempt: 1, fencingToken: 1 }
  return await action.bind({ url: pg.url, ...params }).run(context, attempt)
}

describeWith('postgresql-15', 'sql.check on a real PostgreSQL', () => {
  beforeAll(async () => {
    pg = await startPostgres({ version: 15 })
    await pg.sql('create table orders as select id from generate_series(1, 5) id')
  })
  afterAll(async () => {
    await pg[Symbol.asyncDispose]()
  })

  test.for([
    [{ sql: 'select count(*) from orders', equals: 5 }, '5'],
    [{ sql: 'select count(*) from orders', atLeast: 5, atMost: 5 }, '5'],
    [{ sql: "select 'a b'", equals: 'a b' }, 'a b'],
    [{ sql: 'select not pg_is_in_recovery()', equals: true }, 't'],
    [{ url: secret, sql: 'select 1', equals: 1 }, '1'],
  ] as const)('%j passes', async ([params, value]) => {
    expect(await check(params)).toEqual({ value })
  })

  test.for([
    [{ sql: 'select count(*) from orders', atLeast: 6 }, 'gave 5, less than 6'],
    [{ sql: 'select count(*) from orders', atMost: 4 }, 'gave 5, more than 4'],
    [{ sql: 'select count(*) from orders', equals: 4 }, 'gave 5, not 4'],
    [{ sql: 'select true', equals: false }, 'gave t, not false'],
    [{ sql: "select 'x'", atLeast: 0 }, 'gave x, which is not a number'],
    [{ sql: "select ''", equals: 0 }, 'which is not a number'],
    [{ sql: 'select id from orders where false', equals: 1 }, 'gave no row'],
    [{ sql: 'select max(id) from orders where false', atLeast: 0 }, 'gave null'],
  ] as const)('%j fails: %s', async ([params, message]) => {
    await expect(check(params)).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining(message) as string,
    })
  })

  test('it cannot write', async () => {
    await expect(check({ sql: 'delete from orders returning 1', equals: 1 })).rejects.toThrow(/read-only/)
    expect(await pg.sql('select count(*) as n from orders')).toEqual([{ n: '5' }])
  })

  test('a check without an expectation is refused', async () => {
    await expect(check({ sql: 'select 1' })).rejects.toMatchObject({ code: 'usage' })
  })

  test('a server that is not there fails without its password in the message', async () => {
    const gone = check({ url: 'postgresql://me:hunter2@127.0.0.1:1/db', sql: 'select 1', equals: 1 })
    await expect(gone).rejects.toMatchObject({ code: 'postgres-unreachable' })
    await expect(gone).rejects.not.toThrow(/hunter2/)
  })
})
