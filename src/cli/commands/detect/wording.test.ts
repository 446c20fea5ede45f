import { expect, test } from 'vitest'
import type { Detection } from '../../../service/index.ts'
import { nextStep, verdictLine } from './wording.ts'

const since = new Date('2026-11-28T02:10:00Z')
const until = new Date('2026-11-28T04:00:00Z')

const found: Detection = {
  time: new Date('2026-11-28T04:05:00Z'),
  service: 'api',
  plan: 'back',
  verdict: 'down',
  since,
  by: ['north', 'south'],
  rule: { needed: 2, of: 2, forMs: 60_000, quietMs: 0, decide: 'ask' },
  observers: [],
  start: { start: false, because: 'a-person-decides' },
}

test('the onset that people type is when it began, also where maintenance was announced', () => {
  const behind = { ...found, countsFrom: until }
  expect(nextStep(behind, false)).toBe('a person decides: `holdfast recover api --onset 2026-11-28T02:10:00.000Z`')
  expect(verdictLine(behind)).toContain('maintenance was announced until 2026-11-28T04:00:00.000Z, from when it counts')
})

test('a window is said with the service that leaves it first', () => {
  const maintenance = { service: 'db', title: 'new disks', since, until, excuses: true }
  expect(verdictLine({ ...found, maintenance })).toContain('of db until 2026-11-28T04:00:00.000Z (new disks)')
  expect(verdictLine({ ...found, maintenance: { ...maintenance, excuses: false } })).toContain('(new disks), and excuses nothing')
})
