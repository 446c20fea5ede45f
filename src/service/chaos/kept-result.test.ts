import { expect, test } from 'vitest'
import type { CtkResult } from '../../chaos/index.ts'
import { fileRecord } from './file-record.ts'
import { keptResult } from './kept-result.ts'

type CtkRun = CtkResult['journal']['run'][number]
type CtkActivity = CtkRun['activity']

const activity = (name: string, more: object = {}): CtkActivity => ({
  type: 'action',
  name,
  provider: { type: 'http', url: 'http://shop.example/hunter2', headers: { hunter2: 'hunter2' } },
  ...more,
})
const run = (name: string, more: Partial<CtkRun> = {}): CtkRun => ({
  activity: activity(name),
  output: { hunter2: ['hunter2'] },
  start: '2026-11-28T08:00:00',
  status: 'succeeded',
  exception: ['it said hunter2'],
  ...more,
})
const steady = { steady_state_met: true, probes: [run('up', { tolerance_met: true })] }
const result: CtkResult = {
  verdict: 'pass',
  because: ['it was asked for hunter2'],
  passedOver: [1],
  journal: {
    'chaoslib-version': '1.45.0',
    platform: 'Linux',
    node: 'n',
    experiment: {
      title: 'of hunter2',
      description: 'd',
      'steady-state-hypothesis': { title: 't', probes: [activity('up', { tolerance: { type: 'regex', pattern: 'hunter2' } })] },
      method: [activity('one'), activity('one'), activity('hunter2', { hunter2: 'hunter2' })],
    },
    start: '2026-11-28T08:00:00',
    status: 'completed',
    deviated: false,
    steady_states: { before: steady, after: null, during: [steady] },
    run: [run('one'), run('one'), run('hunter2', { status: 'failed' })],
    rollbacks: [],
  },
}

/** Every name of a member and every text of what is made up above, as if all of them were secrets too. */
function wordsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [...(Array.isArray(value) ? [] : [name]), ...wordsOf(member)])
}

const aboutIt = {
  runId: 'r',
  hash: 'h',
  services: [],
  by: 'me',
  startedAt: 's',
  endedAt: 'e',
  statistics: { passRate: { runs: 1, passed: 1, lower: 0, upper: 1 } },
}

test('a secret is in nothing that is kept, whatever it was found in', () => {
  const kept = keptResult(result, ['hunter2'])
  expect(JSON.stringify(result)).toContain('hunter2')
  expect(JSON.stringify(kept)).not.toContain('hunter2')
  expect(kept.because).toEqual(['it was asked for ***'])
  expect(kept.journal.run[0]).toMatchObject({ output: { '***': ['***'] }, exception: ['it said ***'] })
})

test('a number that is a secret is in no output that is kept, and other numbers are', () => {
  const seen = run('one', { output: { pin: 4711, list: [4711, 4712] } })
  const kept = keptResult({ ...result, journal: { ...result.journal, run: [seen] } }, ['4711'])
  expect(kept.journal.run[0]?.output).toEqual({ pin: '***', list: ['***', 4712] })
})

test('a secret that is a word of the format changes nothing of the outcome', () => {
  const words = wordsOf(result)
  expect(words).toEqual(
    expect.arrayContaining(['run', 'activity', 'type', 'action', 'pass', 'completed', 'succeeded', 'verdict']),
  )
  for (const secrets of [...words.map((word) => [word]), words]) {
    const kept = keptResult(result, secrets)
    const record = fileRecord('chaostoolkit: it', aboutIt as never, kept)
    expect(record).toMatchObject({
      verdict: 'pass',
      samples: { before: { slots: 1, seen: 1, steady: 1 }, during: { slots: 1, seen: 1, steady: 1 } },
    })
    expect(kept.journal).toMatchObject({
      status: 'completed',
      start: result.journal.start,
      experiment: { method: [{ type: 'action' }, {}, {}] },
    })
    // Of two actions with one name, the one that was only written down is told apart.
    expect(record.faults.map(({ state, undo }) => [state, undo])).toEqual([
      ['unconfirmed', 'unknown'],
      ['not-begun', 'gone'],
      ['failed', 'unknown'],
    ])
  }
})
