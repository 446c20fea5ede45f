import { expect, test } from 'vitest'
import {
  codeVersion,
  outcomeOf,
  passingCheck,
  planOf,
  planWorkshop,
  servicesIn,
  stepThatCounts,
  submitPlan,
} from '../../test/support/plans.ts'
import { actions } from '../actions/index.ts'
import { openLocalEngine } from '../durable/index.ts'
import { systemClock } from '../kernel/index.ts'
import { createPlanHandler } from './index.ts'

test('a wall clock that is set back during a run, and again while nobody works on it, changes no duration', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a', { shell: { run: `sleep 0.3; echo a >> '${shop.folder}/effects'` } }),
    stepThatCounts(shop.folder, 'ask', { after: ['a'], action: { kind: 'approve', params: {} } }),
    passingCheck('verify', ['ask']),
  ])
  const handler = createPlanHandler({ actions, services: servicesIn(shop.folder) })
  let setBackMs = 0
  const clock = { ...systemClock, now: () => new Date(Date.now() - setBackMs) }
  const open = () => openLocalEngine({ directory: shop.folder, handler, clock })
  const startedMs = systemClock.monotonicMs()
  {
    await using engine = open()
    await submitPlan(engine, plan, { onsetAt: new Date().toISOString() })
    setBackMs = 3_600_000
    await expect.poll(async () => (await engine.status('r')).waitingFor.length).toBe(1)
  }
  setBackMs = 7_200_000
  await using engine = open()
  await engine.resume('r', { planHash: (await engine.status('r')).planHash, codeVersion })
  await engine.signal('r', 'approve:ask', { decision: 'approved', by: 'bob', planHash: (await engine.status('r')).planHash })
  const { status, timing, steps } = await outcomeOf(engine)
  const elapsedMs = systemClock.monotonicMs() - startedMs
  expect(status).toBe('succeeded')
  expect(timing.rtaMs).toBeGreaterThanOrEqual(300)
  expect(timing.rtaMs).toBeLessThanOrEqual(elapsedMs + 10)
  const [a] = steps
  expect(Date.parse(a?.endedAt ?? '') - Date.parse(a?.startedAt ?? '')).toBeGreaterThanOrEqual(290)
})
