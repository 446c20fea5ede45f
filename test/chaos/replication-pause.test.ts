import { expect, test } from 'vitest'
import { promoteServer } from '../../src/postgres/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'
import { startPair, type ReplicatedPair } from '../support/replication.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

async function pauseState({ standby }: ReplicatedPair): Promise<string | null | undefined> {
  const [row] = await standby.sql('select pg_get_wal_replay_pause_state() as state')
  return row?.state
}

async function orders(server: ReplicatedPair['primary']): Promise<number> {
  const [row] = await server.sql('select count(*) as n from orders')
  return Number(row?.n)
}

async function startOrders(): Promise<ReplicatedPair> {
  const pair = await startPair({ version: 15 })
  await pair.primary.sql('create table orders (id int)')
  await pair.caughtUp()
  return pair
}

const pauseOf = ({ standby }: ReplicatedPair) => bound('replication.pause', { url: standby.url })

describeWith('postgresql-15', 'paused replication', (bin) => {
  test('a standby receives what is written and does not show it until the end of the fault', async () => {
    await using folder = await chaosFolder()
    await using pair = await startOrders()
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(pauseOf(pair), 60_000, never)
    expect(await pauseState(pair)).toBe('paused')
    await pair.primary.sql('insert into orders values (1)')
    const received = async () => {
      const [row] = await pair.standby.sql('select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() as more')
      return row?.more
    }
    await expect.poll(received).toBe('t')
    expect(await orders(pair.standby)).toBe(0)
    expect(await fault.look(never)).toEqual({ state: 'present' })
    await fault.end()
    expect(await pauseState(pair)).toBe('not paused')
    await expect.poll(() => orders(pair.standby)).toBe(1)
  })

  test('a primary, and a standby that somebody else has paused, are refused; that pause stays', async () => {
    await using folder = await chaosFolder()
    await using pair = await startOrders()
    await using guard = await guardIn(folder.path)
    const primary = guard.inject(bound('replication.pause', { url: pair.primary.url }), 60_000, never)
    await expect(primary).rejects.toMatchObject({ code: 'fault-refused' })
    await pair.standby.sql('select pg_wal_replay_pause()')
    await expect(guard.inject(pauseOf(pair), 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
    await expect.poll(() => pauseState(pair)).toBe('paused')
  })

  test('a pause that came between the plan and the injection is not taken for ours', async () => {
    await using folder = await chaosFolder()
    await using pair = await startOrders()
    const fault = pauseOf(pair)
    const late: typeof fault = {
      ...fault,
      async inject(...args) {
        await pair.standby.sql('select pg_wal_replay_pause()')
        await fault.inject(...args)
      },
    }
    await using guard = await guardIn(folder.path)
    await expect(guard.inject(late, 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
    await expect.poll(() => pauseState(pair)).toBe('paused')
  })

  test('a pause of somebody else, after ours was ended by hand, stays', async () => {
    await using folder = await chaosFolder()
    await using pair = await startOrders()
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(pauseOf(pair), 60_000, never)
    await undoByHand(folder.path, fault, bin)
    expect(await pauseState(pair)).toBe('not paused')
    await pair.primary.sql('insert into orders values (1)')
    await expect.poll(() => orders(pair.standby)).toBe(1)
    await pair.standby.sql('select pg_wal_replay_pause()')
    await expect.poll(() => pauseState(pair)).toBe('paused')
    await fault.end()
    expect(await pauseState(pair)).toBe('paused')
  })

  test('a standby that was promoted meanwhile has no pause, and the fault ends', async () => {
    await using folder = await chaosFolder()
    await using pair = await startOrders()
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(pauseOf(pair), 60_000, never)
    await promoteServer(pair.standby.url)
    expect(await fault.look(never)).toEqual({ state: 'absent' })
    await fault.end()
    await pair.standby.sql('insert into orders values (2)')
    expect(await orders(pair.standby)).toBe(1)
  })

  test('an experiment that is killed leaves no pause, at whatever step', { timeout: 600_000 }, async () => {
    await using pair = await startOrders()
    await expectNothingLeft('replication.pause', { url: pair.standby.url }, async (after) => {
      expect(await pauseState(pair), after).toBe('not paused')
    })
  })
})
