import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { serverProcesses } from '../../src/postgres/index.ts'
import type { Failover } from './failover.ts'
import { isDone, writesTo } from './judge.ts'
import type { Scenario } from './scenario.ts'
import type { World } from './world.ts'

/**
 * The old primary, down since its machine lost its power, is started again: by whoever asks before whether it may, or by hand, without a thought. What must
 * be true then: asked, it is not let in where west has taken over, nor where nobody can see west. Unasked, it takes writes of whoever goes straight to it,
 * which nothing outside it can keep it from; but those who are led by HAProxy or by the name stay at west, and the status says that there are two.
 */
export async function comeBack(world: World, failover: Failover, { comesBack, standby }: Scenario): Promise<void> {
  const { primary, west } = world
  if (comesBack === 'stays-away' || (await serverProcesses(primary.dataDir)).length > 0) return
  const isPromoted = isDone(failover, 'promote')
  const asked = world.holdfast('primary', ['postgres', 'may-lead', 'orders'])
  const may = (await asked.closed) === 0
  expect(may, asked.output()).toBe(!isPromoted && standby !== 'stopped')
  expect(asked.output()).toMatch(may ? /may be started/ : /may not be started as a primary/)
  if (comesBack === 'guarded' && !may) return
  const returnedMs = Date.now()
  await primary.start()
  await writesTo(world, 'primary', 'primary', returnedMs)
  if (!isPromoted) return
  const status = world.holdfast('runner', ['postgres', 'status', 'orders'])
  await status.closed
  expect(status.output()).toMatch(/primary: another server takes writes too: two histories/)
  await pause(1000)
  const astray = (await world.acknowledged('primary')).filter(({ atMs }) => atMs > returnedMs)
  for (const [step, client] of [
    ['route', 'proxy'],
    ['name', 'name'],
  ] as const) {
    if (isDone(failover, step)) expect(astray.filter(({ id }) => id.startsWith(`${client}-`))).toEqual([])
  }
  const rows = await west.sql(
    `select count(*) as count from rows where id like 'primary-%' and at > to_timestamp(${returnedMs} / 1000.0)`,
    'shop',
  )
  expect(rows).toEqual([{ count: '0' }])
}
