import { expect, test } from 'vitest'
import { openSql } from '../../src/postgres/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

const settings = { max_connections: '30', superuser_reserved_connections: '3' }

async function sessions(postgres: TestPostgres): Promise<number> {
  const [row] = await postgres.sql("select count(*) as n from pg_stat_activity where application_name like 'holdfast-%'")
  return Number(row?.n)
}

describeWith('postgresql-15', 'connections of PostgreSQL', () => {
  test('all but ten connections are held, named after the experiment, and are free again at the end', async () => {
    await using folder = await chaosFolder()
    await using postgres = await startPostgres({ version: 15, settings })
    await using guard = await guardIn(folder.path, { experiment: 'pool exhaustion' })
    const fault = await guard.inject(bound('connections.postgres', { url: postgres.url, hold: { leave: 10 } }), 60_000, never)
    expect(fault.targets[0]).toMatch(/^17 of 30 connections of /)
    expect(await sessions(postgres)).toBe(17)
    const names = await postgres.sql(
      "select distinct application_name as name from pg_stat_activity where application_name like 'holdfast-%'",
    )
    expect(names).toEqual([{ name: `holdfast-pool-exhaustion-${fault.id}` }])
    await fault.end()
    expect(await sessions(postgres)).toBe(0)
  })

  test('with none left an ordinary user is turned away, a superuser is not', async () => {
    await using folder = await chaosFolder()
    await using postgres = await startPostgres({ version: 15, settings })
    await postgres.sql('create role app login')
    const url = new URL(postgres.url)
    url.searchParams.set('user', 'app')
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(bound('connections.postgres', { url: url.href, hold: { leave: 0 } }), 60_000, never)
    await expect(openSql(url.href)).rejects.toMatchObject({ details: { sqlState: '53300' } })
    expect(await fault.look(never)).toEqual({ state: 'present' })
    expect(await sessions(postgres)).toBe(27)
    await fault.end()
    await using again = await openSql(url.href)
    expect(await again.query('select 1 as one')).toEqual([{ one: '1' }])
  })

  test('an experiment that is killed leaves no session, at whatever step', { timeout: 600_000 }, async () => {
    await using postgres = await startPostgres({ version: 15, settings })
    await expectNothingLeft('connections.postgres', { url: postgres.url, hold: { leave: 10 } }, async (after) => {
      expect(await sessions(postgres), after).toBe(0)
    })
  })
})
