import { expect, test } from 'vitest'
import type { GamedayFacts } from './gameday.ts'
import { renderGameday } from './render-gameday.ts'

const facts: GamedayFacts = {
  runId: 'drill-back-1',
  plan: 'back',
  planHash: 'a'.repeat(64),
  mode: 'live',
  began: new Date('2026-11-26T10:00:00Z'),
  status: 'succeeded',
  scenario: 'the *cellar* is <b>wet</b>',
  participants: ['ann', 'bob'],
  achieved: [
    { service: 'orders', objective: 'RTO', declaredMs: 900_000, actualMs: 60_000, verdict: 'met', earlierMs: [90_000, 80_000] },
  ],
  phases: [
    ['decide', 20_000],
    ['restore', 40_000],
    ['verify', 0],
  ],
  changes: [{ step: 'dns', how: 'skipped', because: 'no name is changed' }],
  timeline: [{ at: new Date('2026-11-26T10:00:01Z'), what: 'restore done' }],
  findings: [
    { id: 'back/step-slow/restore', message: 'took 40s', owner: 'Shop', dueAt: '2026-12-10T10:00:00Z' },
    {
      id: 'back/step-skipped/dns',
      message: 'left out',
      owner: 'Shop',
      dueAt: '2026-12-10T10:00:00Z',
      closed: { by: 'ann', why: 'fine' },
    },
  ],
  records: [{ repository: 'nas', seq: 7 }],
}

test('a gameday’s record says who, what, how long, how that compares, and what is to be done by whom', () => {
  const text = renderGameday(facts, 'text')
  for (const said of [
    'Gameday: back',
    'the *cellar* is <b>wet</b>',
    'ann, bob',
    '| 15 min ',
    '| -30 s ',
    '| 1 min 30 s, 1 min 20 s ',
    'decide 20 s, restore 40 s',
    'dns skipped: no name is changed',
    '2026-11-26 10:00:01 UTC',
    'Shop, until 2026-12-10',
    'Closed by ann: fine',
    'record 7 in nas',
  ]) {
    expect(text).toContain(said)
  }
})

test('nothing in it becomes markup', () => {
  expect(renderGameday(facts, 'html')).toContain('the *cellar* is &lt;b&gt;wet&lt;/b&gt;')
  expect(renderGameday(facts, 'md')).toContain(String.raw`the \*cellar\* is &lt;b&gt;wet&lt;/b&gt;`)
})
