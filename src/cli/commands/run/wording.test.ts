import { expect, test } from 'vitest'
import type { PlanOutcome } from '../../../recovery/index.ts'
import { outcomeText } from './wording.ts'

const at = '2026-11-22T14:30:00.000Z'

function outcome(parts: Partial<PlanOutcome>): PlanOutcome {
  return {
    status: 'succeeded',
    plan: 'orders-failover',
    planHash: 'a'.repeat(64),
    steps: [],
    left: [],
    findings: [],
    decisions: [],
    form: 'normal',
    checksPassed: 1,
    timing: {
      onsetAt: at,
      startedAt: at,
      endedAt: at,
      rtaMs: 1000,
      phases: { detect: 0, decide: 0, prepare: 0, restore: 1000, replay: 0, verify: 0 },
    },
    ...parts,
  }
}

const url = "postgresql:///postgres?host=/tmp/holdfast-pg-0123456789ab&application_name='x'"
const steps: PlanOutcome['steps'] = [
  { id: 'start', kind: 'postgres.start', state: 'done', output: { url } },
  { id: 'promote', kind: 'postgres.promote', state: 'done', output: { url } },
  { id: 'call', kind: 'http.request', state: 'done', output: { url: 'http://elsewhere.example' } },
]

test('a recovery that went well ends with how to reach the server, once, and safe to paste', () => {
  const text = outcomeText(outcome({ steps }))
  expect(text).toContain(`psql 'postgresql:///postgres?host=/tmp/holdfast-pg-0123456789ab&application_name='\\''x'\\'''`)
  expect(text.split('psql ')).toHaveLength(2)
  expect(text).not.toContain('elsewhere.example')
})

test('a recovery that was undone names no server', () => {
  expect(outcomeText(outcome({ status: 'rolled-back', steps }))).not.toContain('psql ')
})

test('a drill in a sandbox names no server: it has been stopped', () => {
  const drill: PlanOutcome['drill'] = { mode: 'sandbox', achieved: [], findings: [], cleanUp: { clean: true, stopped: [] } }
  expect(outcomeText(outcome({ steps, drill }))).not.toContain('psql ')
})

test('a repository that did not take the record is named, and why', () => {
  const record = [
    { repository: 'near', service: 'orders', failed: 'there is no repository at /near' },
    { repository: 'far', service: 'orders', seq: 7 },
  ]
  expect(outcomeText(outcome({ record }))).toContain('not on record in near: there is no repository at /near')
})

test('each blocker of a preflight is said once, with its hint', () => {
  const blocker = { step: 'restore', severity: 'blocker', code: 'target-not-empty', message: '/data is not empty' } as const
  const error = { code: 'preflight-failed', message: 'restore: /data is not empty', retryable: false }
  const text = outcomeText(
    outcome({ status: 'preflight-failed', failure: { error }, findings: [{ ...blocker, hint: 'empty it' }] }),
  )
  expect(text.split('/data is not empty')).toHaveLength(2)
  expect(text).toContain('(empty it)')
})
