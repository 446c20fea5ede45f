import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { actions, type ActionContext, type BoundAction } from '../../src/actions/index.ts'
import { promotionState, replicationState } from '../../src/postgres/index.ts'
import { loadRunCatalog } from '../../src/service/index.ts'
import { contextIn } from '../support/plans.ts'
import { describePostgres } from '../support/postgres.ts'
import { startPair, type CatalogOptions, type ReplicatedPair } from '../support/replication.ts'

let folder: string
const signal = new AbortController().signal
const attempt = { signal, idempotencyKey: 'r/promote', attempt: 1, fencingToken: 1, timeoutMs: 60_000 }
const after = (previous: 'none' | 'failed' | 'interrupted') => ({ signal, idempotencyKey: 'r/promote', previous })

function bind(kind: string, params: object): BoundAction {
  const action = actions.find((one) => one.kind === kind)
  if (action === undefined) throw new Error(`there is no ${kind}`)
  return action.bind(params)
}

const promote = (params: object = {}) => bind('postgres.promote', { server: 'west', ...params })

async function contextOf(pair: ReplicatedPair, catalog: CatalogOptions = {}, parts: Partial<ActionContext> = {}) {
  return contextIn(folder, { catalog: await pair.catalog(catalog), ...parts })
}

const inRecovery = async (pair: ReplicatedPair) => (await replicationState(pair.standby.url)).inRecovery

describePostgres('failing over to a streaming standby', (version) => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-failover-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('the primary is killed: its files say how far it came, and the standby is promoted with nothing lost', async () => {
    await using pair = await startPair({ version })
    await pair.primary.sql('create table orders as select generate_series(1, 100) as id')
    await pair.caughtUp()
    await pair.primary.kill()
    const context = await contextOf(pair)
    expect(await promote().preflight(context, signal)).toEqual([])
    expect(await promote().probe(context, after('none'))).toEqual({ state: 'not-done' })
    const output = await promote().run(context, attempt)
    expect(output).toMatchObject({
      server: 'west',
      previousTimeline: 1,
      timeline: 2,
      lag: { known: true, bytes: 0, basis: 'primary-files' },
      mayBeLost: 'nothing',
      fence: { kind: 'stopped', server: 'primary' },
      accepted: [],
    })
    expect(await pair.standby.sql('insert into orders values (101) returning id')).toEqual([{ id: '101' }])
    expect(await promote().probe(context, after('interrupted'))).toMatchObject({
      state: 'done',
      output: { timeline: 2, mayBeLost: 'nothing' },
    })
    expect(await promote().preflight(context, signal)).toMatchObject([{ severity: 'blocker', code: 'not-a-standby' }])
  })

  test('a standby whose replay is paused is refused, whatever it has received', async () => {
    await using pair = await startPair({ version })
    await pair.standby.sql('select pg_wal_replay_pause()')
    await pair.primary.kill()
    const context = await contextOf(pair)
    expect(await promote().preflight(context, signal)).toMatchObject([{ severity: 'blocker', code: 'replay-paused' }])
    await expect(promote().run(context, attempt)).rejects.toMatchObject({ details: { problem: 'replay-paused' } })
    expect(await inRecovery(pair)).toBe(true)
  })

  test('a primary that nobody can see: the lag is unknown and refused, unless accepted or told by a heartbeat', async () => {
    await using pair = await startPair({ version })
    await pair.primary.sql('create table heartbeat as select clock_timestamp() as at')
    await pair.caughtUp()
    await pair.primary.kill()
    await expect.poll(async () => (await replicationState(pair.standby.url)).receiver).toBeUndefined()
    const gone = { primaryIsHere: false }
    const { systemIdentifier } = await replicationState(pair.standby.url)
    const context = await contextOf(pair, gone)
    expect(await promote().preflight(context, signal)).toMatchObject([{ severity: 'blocker', code: 'replica-behind' }])
    await expect(promote().run(context, attempt)).rejects.toMatchObject({ code: 'fence-unconfirmed' })
    const fenced = await contextOf(pair, gone, { outputs: { cut: { fenced: true, systemIdentifier } } })
    await expect(promote().run(fenced, attempt)).rejects.toMatchObject({
      code: 'replica-behind',
      details: { problem: 'lag-unknown' },
    })
    const late = { sql: 'select max(at) from heartbeat', maxAge: '1ms' }
    await expect(promote({ heartbeat: late }).run(fenced, attempt)).rejects.toThrow(/the last heartbeat that it has is of/)
    expect(await inRecovery(pair)).toBe(true)
    const heartbeat = { sql: 'select max(at) from heartbeat', maxAge: '10m' }
    expect(await promote({ heartbeat }).preflight(fenced, signal)).toMatchObject([{ severity: 'warning', code: 'would-lose' }])
    expect(await promote({ acceptUnknownLag: true }).run(fenced, attempt)).toMatchObject({
      lag: { known: false },
      accepted: ['unknown-lag'],
      fence: { kind: 'step', step: 'cut' },
    })
  })

  test('told to become a primary and not one yet: it is never taken for one that was not told', async () => {
    await using pair = await startPair({ version })
    await pair.primary.kill()
    const state = async (timeoutMs: number) => (await promotionState(pair.standby.url, { timeoutMs }, signal)).state
    expect(await state(0)).toBe('standby')
    const [row] = await pair.standby.sql(`select pid from pg_stat_activity where backend_type = 'startup'`)
    process.kill(Number(row?.pid), 'SIGSTOP')
    try {
      await pair.standby.sql('select pg_promote(wait => false)')
      expect(await state(200)).toBe('promoting')
    } finally {
      process.kill(Number(row?.pid), 'SIGCONT')
    }
    expect(await state(60_000)).toBe('primary')
  })
})

describe('failing over to a streaming standby: what is refused, and what is recorded', () => {
  const version = 18
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-failover-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('what the standby never received is known to the byte, and refused beyond maxLag', async () => {
    await using pair = await startPair({ version })
    await pair.primary.sql('create table orders (id int, filler text)')
    await pair.caughtUp()
    await pair.standby.freeze()
    await pair.primary.sql(`insert into orders select id, repeat('x', 500) from generate_series(1, 1000) id`)
    await pair.primary.kill()
    await pair.standby.thaw()
    await expect.poll(async () => (await replicationState(pair.standby.url)).receiver).toBeUndefined()
    const context = await contextOf(pair)
    const findings = await promote({ maxLag: '1kB' }).preflight(context, signal)
    expect(findings).toMatchObject([
      { severity: 'blocker', code: 'replica-behind', message: expect.stringMatching(/would lose .* of WAL/) as string },
    ])
    await expect(promote({ maxLag: '1kB' }).run(context, attempt)).rejects.toMatchObject({ code: 'replica-behind' })
    expect(await inRecovery(pair)).toBe(true)
    const output = (await promote({ maxLag: '64MiB' }).run(context, attempt)) as { lag: { bytes: number }; mayBeLost: string }
    expect(output.lag.bytes).toBeGreaterThan(100_000)
    expect(output.mayBeLost).toMatch(/ of WAL, up to 0\//)
  })

  test('a frozen primary is not fenced, so the standby stays one; ended, the standby is promoted', async () => {
    await using pair = await startPair({ version })
    await pair.caughtUp()
    const context = await contextOf(pair)
    const fence = (force: boolean) =>
      bind('postgres.fence', { server: 'primary', within: '500ms', confirmFor: '200ms', mode: 'immediate', force })
    await pair.primary.freeze()
    await expect(fence(false).run(context, { ...attempt, idempotencyKey: 'r/fence' })).rejects.toMatchObject({
      code: 'fence-unconfirmed',
    })
    await expect(promote().run(context, attempt)).rejects.toMatchObject({
      code: 'fence-unconfirmed',
      message: expect.stringContaining('does not answer') as string,
    })
    expect(await inRecovery(pair)).toBe(true)
    expect(await fence(true).run(context, { ...attempt, idempotencyKey: 'r/fence' })).toMatchObject({
      fenced: true,
      wasRunning: true,
    })
    expect(await promote().run(context, attempt)).toMatchObject({ timeline: 2, fence: { kind: 'stopped' } })
  })

  test('a primary that takes writes is refused; divergence goes on only when it is accepted, and is recorded', async () => {
    await using pair = await startPair({ version })
    const context = await contextOf(pair)
    await expect(promote().run(context, attempt)).rejects.toMatchObject({ code: 'fence-unconfirmed' })
    expect(await inRecovery(pair)).toBe(true)
    expect(await promote({ acceptDivergence: true }).run(context, attempt)).toMatchObject({
      accepted: ['divergence'],
      fence: null,
    })
  })

  test('a primary that was closed by SQL sends what it has, and is seen to be closed', async () => {
    await using pair = await startPair({ version })
    await pair.primary.sql('create database shop')
    const context = await contextOf(pair, { primaryIsHere: false })
    const key = { ...attempt, idempotencyKey: 'r/fence' }
    const fenced = await bind('postgres.fence', { server: 'primary', confirmFor: '200ms' }).run(context, key)
    expect(fenced).toMatchObject({ fenced: true, closed: ['shop', 'template1'] })
    expect(await promote().run(context, attempt)).toMatchObject({
      lag: { known: true, bytes: 0, basis: 'primary' },
      fence: { kind: 'closed', server: 'primary' },
    })
  })

  test('two servers whose data may be at one path of this machine are not told apart by guessing', async () => {
    await using pair = await startPair({ version })
    const catalog = await readFile(await pair.writeCatalog(), 'utf8')
    const path = join(pair.folder, 'twins.yaml')
    await writeFile(path, catalog.replace(pair.standby.dataDir, pair.primary.dataDir))
    const context = contextIn(folder, { catalog: await loadRunCatalog(path) })
    const fence = bind('postgres.fence', { server: 'primary' })
    await expect(fence.run(context, { ...attempt, idempotencyKey: 'r/fence' })).rejects.toThrow(/have the same dataDirectory/)
    expect((await replicationState(pair.primary.url)).inRecovery).toBe(false)
  })

  test('another cluster behind the address is refused', async () => {
    await using pair = await startPair({ version })
    const context = await contextOf(pair)
    expect(await promote({ systemIdentifier: '1' }).preflight(context, signal)).toMatchObject([{ code: 'identity-mismatch' }])
    await expect(promote({ systemIdentifier: '1' }).run(context, attempt)).rejects.toMatchObject({ code: 'identity-mismatch' })
  })
})
