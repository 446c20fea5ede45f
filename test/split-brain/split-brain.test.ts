import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Detection } from '../../src/service/index.ts'
import { describeWith } from '../support/peers.ts'
import { comeBack } from './come-back.ts'
import { failOver } from './failover.ts'
import { judge } from './judge.ts'
import { watch } from './observers.ts'
import { scenarioOf, type Scenario } from './scenario.ts'
import { worldTemplate } from './template.ts'
import { createWorld } from './world.ts'

const well: Scenario = {
  seed: 0,
  disaster: 'none',
  standby: 'well',
  decides: 'person',
  observer: 'well',
  power: 'works',
  afterFence: 'nothing',
  promoteTimeout: '20s',
  kills: [],
  comesBack: 'stays-away',
}

type Told = readonly [what: string, scenario: Partial<Scenario>, statuses: readonly string[]]

/** What the outcome must be where it does not depend on who is faster. */
const told: readonly Told[] = [
  ['a planned switch', {}, ['succeeded']],
  [
    'the primary is killed, seen by two of three observers',
    { disaster: 'killed', decides: 'observers', observer: 'cut-off' },
    ['succeeded'],
  ],
  ['the primary is frozen, and wakes later', { disaster: 'frozen' }, ['succeeded']],
  [
    'the primary is cut off, but clients reach it; its power is switched off, and it is not let in again',
    { disaster: 'lonely', comesBack: 'guarded' },
    ['succeeded'],
  ],
  ['the same, and its power cannot be switched off', { disaster: 'lonely', power: 'refuses' }, ['rolled-back', 'undo-failed']],
  ['replay is paused', { standby: 'paused' }, ['preflight-failed']],
  ['the name server refuses once the primary is fenced', { disaster: 'killed', afterFence: 'names-refuse' }, ['stopped']],
  [
    'nothing can be undone, for HAProxy is out of reach',
    { disaster: 'killed', afterFence: 'proxy-cut', promoteTimeout: '20ms' },
    ['undo-failed', 'stopped'],
  ],
  ['the orchestrator is killed again and again', { kills: [3, 10, 16] }, ['succeeded']],
]

const toldInSoak: readonly Told[] = [
  ['the standby is stopped', { disaster: 'killed', standby: 'stopped' }, ['preflight-failed']],
  ['replay is paused once the primary is fenced', { afterFence: 'replay-paused' }, ['rolled-back', 'succeeded']],
  ['the primary is gone for all, and the observers see that', { disaster: 'gone', decides: 'observers' }, ['succeeded']],
  ['the name server is silent once the primary is fenced', { afterFence: 'names-silent' }, ['stopped']],
  ['whoever decides is killed again and again', { disaster: 'killed', decides: 'observers', kills: [3, 10, 16] }, ['succeeded']],
  ['the old primary is started by hand', { disaster: 'killed', comesBack: 'by-hand' }, ['succeeded']],
  [
    'the old primary is started by hand, and nobody had taken over',
    { disaster: 'killed', standby: 'paused', comesBack: 'by-hand' },
    ['preflight-failed'],
  ],
]

/** More combinations, the same every time; `SPLIT_BRAIN_RUNS` asks for more (npm run test:soak). */
const runs = Number(process.env.SPLIT_BRAIN_RUNS ?? '2')
const firstSeed = Number(process.env.SPLIT_BRAIN_SEED ?? '1')
const isSoak = process.env.SPLIT_BRAIN_RUNS !== undefined

describeWith('iproute2', 'failing over between two machines', () => {
  let template: Awaited<ReturnType<typeof worldTemplate>>
  beforeAll(async () => {
    template = await worldTemplate()
  })
  afterAll(async () => {
    await template[Symbol.asyncDispose]()
  })

  async function play(scenario: Scenario) {
    await using world = await createWorld(template.dataDir)
    const failover = await failOver(world, scenario)
    // Whoever comes back now, or goes on, is still watched.
    await pause(1500)
    await judge(world, failover)
    await comeBack(world, failover, scenario)
    return failover
  }

  test.for(isSoak ? [...told, ...toldInSoak] : told)('%s', { timeout: 300_000 }, async ([, parts, statuses]) => {
    const { outcome, kills } = await play({ ...well, ...parts })
    expect(statuses, JSON.stringify(outcome.failure ?? outcome.findings)).toContain(outcome.status)
    expect(kills).toBe(parts.kills?.length ?? 0)
  })

  test('an observer that alone does not reach the primary starts nothing', { timeout: 300_000 }, async () => {
    await using world = await createWorld(template.dataDir)
    await world.writeCatalog(well)
    const decider = await watch(world)
    await world.network.cut('north', 'primary')
    // Three times as long as the symptoms must hold.
    await pause(3000)
    const asked = world.holdfast('runner', ['detect', 'orders', '--json'])
    await asked.closed
    const { verdict, observers } = JSON.parse(asked.output()) as Pick<Detection, 'verdict' | 'observers'>
    expect(observers.map(({ observer, says }) => [observer, says])).toEqual([
      ['north', 'down'],
      ['south', 'up'],
      ['town', 'up'],
    ])
    expect(verdict).toBe('healthy')
    expect(decider.ended()).toBe(false)
  })

  test.for(Array.from({ length: runs }, (_, index) => scenarioOf(firstSeed + index)))(
    'seed $seed: $disaster, standby $standby, $decides decide, power $power, then $afterFence, killed at $kills, $comesBack',
    { timeout: 300_000 },
    async (scenario) => {
      const { outcome, events } = await play(scenario)
      expect(outcome.form).toBe(scenario.disaster === 'none' ? 'normal' : 'disaster')
      expect(events.at(-1)?.type).toBe('ended')
    },
  )
})
