import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../support/peers.ts'
import { failOver } from './failover.ts'
import { judge } from './judge.ts'
import { scenarioOf, type Scenario } from './scenario.ts'
import { createWorld, worldTemplate } from './world.ts'

const well: Scenario = {
  seed: 0,
  disaster: 'none',
  standby: 'well',
  power: 'works',
  afterFence: 'nothing',
  promoteTimeout: '20s',
  kills: [],
}

/** What the outcome must be where it does not depend on who is faster. */
const told: readonly (readonly [what: string, scenario: Partial<Scenario>, statuses: readonly string[]])[] = [
  ['a planned switch', {}, ['succeeded']],
  ['the primary is killed', { disaster: 'killed' }, ['succeeded']],
  ['the primary is frozen, and wakes later', { disaster: 'frozen' }, ['succeeded']],
  ['the primary is cut off, but clients reach it, and its power can be switched off', { disaster: 'lonely' }, ['succeeded']],
  ['the same, and its power cannot be switched off', { disaster: 'lonely', power: 'refuses' }, ['rolled-back', 'undo-failed']],
  ['replay is paused', { standby: 'paused' }, ['preflight-failed']],
  ['the standby is stopped', { disaster: 'killed', standby: 'stopped' }, ['preflight-failed']],
  ['replay is paused once the primary is fenced', { afterFence: 'replay-paused' }, ['rolled-back', 'succeeded']],
  ['the orchestrator is killed again and again', { kills: [3, 8, 12] }, ['succeeded']],
]

/** More combinations, the same every time; `SPLIT_BRAIN_RUNS` asks for more (npm run test:soak). */
const runs = Number(process.env.SPLIT_BRAIN_RUNS ?? '4')
const firstSeed = Number(process.env.SPLIT_BRAIN_SEED ?? '1')

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
    return failover
  }

  test.for(told)('%s', { timeout: 300_000 }, async ([, parts, statuses]) => {
    const { outcome, kills } = await play({ ...well, ...parts })
    expect(statuses, JSON.stringify(outcome.failure ?? outcome.findings)).toContain(outcome.status)
    expect(kills).toBe(parts.kills?.length ?? 0)
  })

  test.for(Array.from({ length: runs }, (_, index) => scenarioOf(firstSeed + index)))(
    'seed $seed: $disaster, standby $standby, power $power, then $afterFence, killed at $kills',
    { timeout: 300_000 },
    async (scenario) => {
      const { outcome, events } = await play(scenario)
      expect(outcome.form).toBe(scenario.disaster === 'none' ? 'normal' : 'disaster')
      expect(events.at(-1)?.type).toBe('ended')
    },
  )
})
