import { expect, test } from 'vitest'
import type { PlanOutcome, StepReport } from '../outcome.ts'
import { findingsOf, type DrillFacts } from './findings.ts'

const second = 1000
const at = (ms: number) => new Date(Date.UTC(2026, 10, 26) + ms).toISOString()
const step = (id: string, more: Partial<StepReport> = {}): StepReport => ({
  id,
  kind: 'shell',
  state: 'done',
  by: 'run',
  ...more,
})
const outcome = (steps: StepReport[], more: Partial<PlanOutcome> = {}): PlanOutcome => ({
  status: 'succeeded',
  plan: 'back',
  planHash: 'a',
  steps,
  left: [],
  findings: [],
  checksPassed: 1,
  decisions: [],
  form: 'normal',
  timing: {
    onsetAt: at(0),
    startedAt: at(0),
    endedAt: at(0),
    rtaMs: 0,
    phases: { detect: 0, decide: 0, prepare: 0, restore: 0, replay: 0, verify: 0 },
  },
  ...more,
})
const find = (facts: Partial<DrillFacts>) =>
  findingsOf({ plan: 'back', outcome: outcome([]), changes: [], achieved: [], cleanUp: undefined, usual: new Map(), ...facts })
const ids = (facts: Partial<DrillFacts>) => find(facts).map(({ id }) => id)

test.each([
  ['more than twice its usual time', 60, 20, 3, true],
  ['twice its usual time', 40, 20, 3, false],
  ['many times next to nothing', 4, 0.1, 9, false],
  ['more, where two runs are all that is known', 60, 20, 2, false],
])('a step that took %s', (_what, tookS, medianS, runs, isFound) => {
  const slow = step('restore', { startedAt: at(0), endedAt: at(tookS * second) })
  const usual = new Map([['restore', { medianMs: medianS * second, longestMs: medianS * second, runs }]])
  expect(ids({ outcome: outcome([slow]), usual })).toEqual(isFound ? ['back/step-slow/restore'] : [])
})

test('a step that failed is one, undone or not; those that it took down with it are none', () => {
  const error = { code: 'command-failed', message: 'no such host', retryable: false }
  const steps = [
    step('files', { state: 'undone' }),
    step('dns', { state: 'undone', error }),
    step('web', { state: 'failed', error }),
    step('mail', { state: 'tolerated', error }),
    step('db', { state: 'unknown', error }),
    step('last', { state: 'not-run' }),
  ]
  expect(ids({ outcome: outcome(steps) })).toEqual([
    'back/step-failed/dns',
    'back/step-failed/web',
    'back/step-tolerated/mail',
    'back/step-unknown/db',
  ])
})

test('so is what was not done as in a recovery, but not another parameter or check', () => {
  const changes = (['skipped', 'replaced', 'answered', 'changed', 'rechecked'] as const).map((how) => ({
    step: how,
    how,
    because: 'why',
  }))
  expect(ids({ changes })).toEqual(['back/step-skipped/skipped', 'back/step-replaced/replaced', 'back/step-answered/answered'])
})

test('so is an objective that is missed or cannot be told, and a sandbox that is still there', () => {
  const rpo = { verdict: 'unknown', because: 'not-measured', declaredMs: second } as const
  const rto = { verdict: 'missed', because: 'above-objective', declaredMs: second, actualMs: 2 * second } as const
  const achieved = [{ service: 'orders', rpo, rto, verdict: 'missed' } as const]
  const found = find({ achieved, cleanUp: { clean: false, stopped: [], problem: 'it is busy' } })
  expect(found.map(({ id }) => id)).toEqual([
    'back/objective-unknown/orders-rpo',
    'back/objective-missed/orders-rto',
    'back/clean-up-failed/sandbox',
  ])
  expect(found.at(1)?.message).toContain('2 s against 1 s')
})
