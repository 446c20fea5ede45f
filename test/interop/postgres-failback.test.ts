import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { actions, type BoundAction } from '../../src/actions/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { promoteServer, readDivergence, replicationState, type Divergence } from '../../src/postgres/index.ts'
import { describeWith } from '../support/peers.ts'
import { contextIn } from '../support/plans.ts'
import { describePostgres } from '../support/postgres.ts'
import { startPair, type ReplicatedPair } from '../support/replication.ts'

let folder: string
const signal = new AbortController().signal
const attempt = (step: string) => ({ signal, idempotencyKey: `r/${step}`, attempt: 1, fencingToken: 1, timeoutMs: 60_000 })
const after = (step: string, previous: 'none' | 'failed' | 'interrupted') => ({ signal, idempotencyKey: `r/${step}`, previous })

function bind(kind: string, params: object): BoundAction {
  const action = actions.find((one) => one.kind === kind)
  if (action === undefined) throw new Error(`there is no ${kind}`)
  return action.bind(params)
}
const rewind = (params: object = {}) => bind('postgres.rewind', { server: 'primary', source: 'west', ...params })
const follow = (params: object = {}) => bind('postgres.follow', { server: 'primary', source: 'west', ...params })

/** Fails over, and commits on the old primary what nobody else ever has: two orders more, one changed, one gone, and one not committed. */
async function diverge(pair: ReplicatedPair): Promise<void> {
  await pair.primary.sql('create table orders (id int primary key, note text)')
  await pair.primary.sql(`insert into orders select id, 'paid' from generate_series(1, 10) id`)
  await pair.caughtUp()
  await promoteServer(pair.standby.url)
  await pair.primary.sql(`insert into orders values (11, 'lost'), (12, 'lost')`)
  await pair.primary.sql(`update orders set note = 'changed' where id = 1`)
  await pair.primary.sql(`do $$ begin begin delete from orders where id = 2; exception when others then null; end; end $$`)
  await pair.primary.sql('do $$ begin insert into orders values (13); raise exception $m$no$m$; end $$').catch(() => {})
  await pair.primary.sql('checkpoint')
  await pair.standby.sql(`insert into orders values (20, 'new')`)
}

const ids = async (url: { sql: ReplicatedPair['primary']['sql'] }) =>
  (await url.sql('select id from orders order by id')).map(({ id }) => Number(id))

async function setUp() {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-failback-'))
}
const tearDown = () => rm(folder, { recursive: true })

describePostgres('what an old primary has that nobody else has', (version) => {
  beforeEach(setUp)
  afterEach(tearDown)

  test('is read from its WAL: transactions with their times, and rows by table; what was rolled back does not count', async () => {
    await using pair = await startPair({ version })
    await diverge(pair)
    await pair.primary.kill()
    const { url } = pair.standby
    const found = await readDivergence(pair.primary.dataDir, { url, replicationUrl: url })
    expect(found).toMatchObject({
      relation: 'forked',
      timeline: 1,
      otherTimeline: 2,
      complete: true,
      commits: 3,
      unfinished: 1,
      catalogRows: 0,
    })
    expect(found.tables).toEqual([{ database: 'postgres', table: 'public.orders', inserted: 2, updated: 1, deleted: 1 }])
    expect(found.transactions.map(({ tables }) => tables[0])).toMatchObject([{ inserted: 2 }, { updated: 1 }, { deleted: 1 }])
    for (const { committedAt } of found.transactions) expect(Math.abs(Date.parse(committedAt) - Date.now())).toBeLessThan(600_000)
  })

  test('a server that has WAL of its own behind the fork does not follow; one that stopped at the fork does, without a rewind', async () => {
    await using pair = await startPair({ version })
    await pair.primary.sql('create table orders as select generate_series(1, 3) as id')
    await pair.caughtUp()
    await pair.primary.server.stop('fast')
    await promoteServer(pair.standby.url)
    const context = contextIn(folder, { catalog: await pair.catalog() })
    await pair.standby.sql('insert into orders values (4)')
    const settings = join(pair.primary.dataDir, 'postgresql.auto.conf')
    const own = await readFile(settings, 'utf8')
    // Of an earlier step that was not undone, or brought by pg_rewind from the other server.
    await writeFile(`${settings}.before-holdfast`, "work_mem = '7MB'\n")
    const output = await follow().run(context, attempt('follow'))
    expect(output).toMatchObject({ server: 'primary', source: 'west', slot: 'primary', timeline: 2, lag: { known: true } })
    await expect.poll(() => ids(pair.primary)).toEqual([1, 2, 3, 4])
    expect((await follow().probe(context, after('follow', 'interrupted'))).state).toBe('done')
    expect(await bind('replication.check', { server: 'primary' }).run(context, attempt('check'))).toMatchObject({
      lagBytes: 0,
      timeline: 2,
    })
    await follow().undo(output, context, attempt('follow'))
    expect(await pair.primary.server.running()).toBeUndefined()
    expect(await readFile(settings, 'utf8')).toBe(own)
    expect(await pair.standby.sql(`select slot_name from pg_replication_slots where slot_name = 'primary'`)).toEqual([])
    await expect(bind('postgres.start', { server: 'primary' }).run(context, attempt('start'))).resolves.toMatchObject({
      inRecovery: true,
    })
  })
})

describe('what an old primary has that nobody else has, in particular', () => {
  const version = 18
  beforeEach(setUp)
  afterEach(tearDown)

  test('before a failover: what a standby that takes over now would not have', async () => {
    await using pair = await startPair({ version })
    await pair.primary.sql('create table orders (id int)')
    await pair.caughtUp()
    await pair.standby.freeze()
    // More than the sockets between them hold.
    await pair.primary.sql('insert into orders select generate_series(1, 100000)')
    await pair.primary.kill()
    await pair.standby.thaw()
    const { url } = pair.standby
    const found = await readDivergence(pair.primary.dataDir, { url, replicationUrl: url })
    expect(found).toMatchObject({ relation: 'behind', commits: 1, tables: [{ table: 'public.orders', inserted: 100_000 }] })
  })

  test('a table that only it has is not taken for another one of the same file number', async () => {
    await using pair = await startPair({ version })
    await promoteServer(pair.standby.url)
    await pair.primary.sql('create table mine as select generate_series(1, 5) as id')
    await pair.standby.sql('create table theirs as select generate_series(1, 5) as id')
    await pair.primary.kill()
    const { url } = pair.standby
    const found = await readDivergence(pair.primary.dataDir, { url, replicationUrl: url })
    expect(found.tables).toMatchObject([{ table: expect.stringMatching(/^file \d+$/) as string, inserted: 5 }])
    expect(found.catalogRows).toBeGreaterThan(0)
  })

  test('a diverged one is refused as a follower, and not started as a second primary', async () => {
    await using pair = await startPair({ version })
    await diverge(pair)
    const context = contextIn(folder, { catalog: await pair.catalog() })
    await expect(follow().run(context, attempt('follow'))).rejects.toThrow(/is running as a primary/)
    await pair.primary.kill()
    await expect(follow().run(context, attempt('follow'))).rejects.toMatchObject({ code: 'divergence-found' })
    const start = async () => await bind('postgres.start', { server: 'primary' }).run(context, attempt('start'))
    await expect(start()).rejects.toMatchObject({
      code: 'identity-mismatch',
      message: expect.stringContaining('is one') as string,
    })
    // Nor when the one that led since is down too.
    await pair.standby.kill()
    await expect(start()).rejects.toMatchObject({
      code: 'identity-mismatch',
      message: expect.stringContaining('later timeline') as string,
    })
    expect(await pair.primary.server.running()).toBeUndefined()
  })
})

describeWith('postgresql-15', 'postgres.rewind with a real pg_rewind', (programs) => {
  beforeEach(setUp)
  afterEach(tearDown)

  test('the report agrees with pg_waldump about the transactions', async () => {
    await using pair = await startPair({ version: 15 })
    await diverge(pair)
    await pair.primary.kill()
    const { url } = pair.standby
    const found = await readDivergence(pair.primary.dataDir, { url, replicationUrl: url })
    const dump = await runProcess(join(programs, 'pg_waldump'), [
      '-p',
      join(pair.primary.dataDir, 'pg_wal'),
      '-s',
      found.fromLsn,
      '-r',
      'Transaction',
    ])
    const commits = [...dump.stdout.matchAll(/tx:\s+(\d+),.* COMMIT /g)].map(([, xid]) => Number(xid))
    expect(commits).toHaveLength(3)
    expect(found.transactions.map(({ xid }) => xid)).toEqual(commits)
  })

  test('commits are thrown away only when told to, and written down first; then the old primary follows the new one, and fails back', async () => {
    await using pair = await startPair({ version: 15 })
    await diverge(pair)
    const own = `${await readFile(join(pair.primary.dataDir, 'postgresql.conf'), 'utf8')}# its own\n`
    await writeFile(join(pair.primary.dataDir, 'postgresql.conf'), own)
    const context = contextIn(folder, { catalog: await pair.catalog() })
    await expect(rewind({ discardDivergence: true }).run(context, attempt('rewind'))).rejects.toThrow(
      /a running server is not rewound/,
    )
    await pair.primary.kill()
    expect(await rewind().preflight(context, signal)).toMatchObject([{ severity: 'blocker', code: 'divergence-found' }])
    const refused = rewind().run(context, attempt('rewind'))
    await expect(refused).rejects.toMatchObject({ code: 'divergence-found', details: { commits: 3 } })
    const file = await refused.catch((error: { details: { file: string } }) => error.details.file)
    const report = JSON.parse(await readFile(file as string, 'utf8')) as Divergence
    expect(report.tables).toMatchObject([{ table: 'public.orders', inserted: 2 }])

    const output = await rewind({ discardDivergence: true }).run(context, attempt('rewind'))
    expect(output).toMatchObject({ rewound: true, discarded: 3, timeline: 2, divergence: { commits: 3 }, report: file })
    expect(await rewind({ discardDivergence: true }).probe(context, after('rewind', 'interrupted'))).toMatchObject({
      state: 'done',
    })
    expect(await readFile(join(pair.primary.dataDir, 'postgresql.conf'), 'utf8')).toBe(own)
    const notes = join(context.runDirectory, 'notes')
    for (const name of await readdir(notes)) expect(await readFile(join(notes, name), 'utf8')).not.toContain('its own')
    expect(await follow().run(context, attempt('follow'))).toMatchObject({ timeline: 2 })
    expect(await ids(pair.primary)).toEqual([...Array.from({ length: 10 }, (_, at) => at + 1), 20])

    // And back: the leader is stopped, the old primary takes over without losing anything, and the other follows.
    await pair.standby.sql('insert into orders values (21)')
    await bind('postgres.fence', { server: 'west', confirmFor: '200ms' }).run(context, attempt('fence'))
    const promoted = await bind('postgres.promote', { server: 'primary', maxLag: '0B' }).run(context, attempt('promote'))
    expect(promoted).toMatchObject({ timeline: 3, mayBeLost: 'nothing', fence: { kind: 'stopped', server: 'west' } })
    const back = bind('postgres.follow', { server: 'west' })
    expect(await back.run(context, attempt('back'))).toMatchObject({ source: 'primary', timeline: 3 })
    expect(await ids(pair.standby)).toContain(21)
    expect((await replicationState(pair.primary.url)).inRecovery).toBe(false)
  })

  test('cut short, nobody knows what it left, so a person decides; run again to its end, it is a standby', async () => {
    await using pair = await startPair({ version: 15 })
    await diverge(pair)
    await pair.primary.kill()
    const cut = new AbortController()
    const catalog = await pair.catalog()
    const context = contextIn(folder, { catalog })
    const cutting = contextIn(folder, { catalog, progress: () => cut.abort(new Error('cut')) })
    const step = rewind({ discardDivergence: true })
    await expect(step.run(cutting, { ...attempt('rewind'), signal: cut.signal })).rejects.toThrow('cut')
    expect(await step.probe(context, after('rewind', 'interrupted'))).toMatchObject({ state: 'unknown' })
    expect(await step.run(context, attempt('rewind'))).toMatchObject({ rewound: true, discarded: 3 })
    await expect(bind('postgres.start', { server: 'primary' }).run(context, attempt('start'))).resolves.toMatchObject({
      inRecovery: true,
    })
  })

  test('a source that is the target, another cluster, and pages whose changes cannot be found are refused', async () => {
    await using pair = await startPair({ version: 15, dataChecksums: false })
    await using other = await startPair({ version: 15 })
    await promoteServer(pair.standby.url)
    await pair.primary.kill()
    const refusal = async (standbyUrl: string) => {
      const context = contextIn(folder, { catalog: await pair.catalog({ standbyUrl }) })
      return await rewind()
        .run(context, attempt('refused'))
        .catch((error: { code: string }) => error.code)
    }
    expect(await refusal(pair.standby.url)).toBe('postgres-setting')
    await appendFile(join(pair.primary.dataDir, 'postgresql.conf'), 'wal_log_hints = on\n')
    await pair.primary.server.start({ detached: true })
    expect(await refusal(pair.primary.url)).toBe('target-is-source')
    expect(await refusal(other.primary.url)).toBe('identity-mismatch')
  })
})

describe('postgres.rewind without pg_rewind', () => {
  beforeEach(setUp)
  afterEach(tearDown)

  test('is a blocker, found before anything is done: npm’s PostgreSQL has none', async () => {
    await using pair = await startPair({ version: 18 })
    const context = contextIn(folder, { catalog: await pair.catalog() })
    expect(await rewind().preflight(context, signal)).toMatchObject([{ severity: 'blocker', code: 'postgres-not-found' }])
  })
})
