import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inputOf, passingCheck, planOf } from '../../../../../test/support/plans.ts'
import type { RunProgress, StepProgress, StepStanding } from '../../../../recovery/index.ts'
import { lineWidth } from '../../../output/line.ts'
import { bar } from './bar.ts'
import { runPicture, type RunSight } from './run-picture.ts'
import { asciiMarks, boxMarks } from './standing.ts'

const nowMs = Date.parse('2026-11-23T03:00:00Z')

const sight: RunSight = {
  columns: 80,
  rows: 24,
  nowMs,
  marks: boxMarks,
  usual: new Map([['restore', { medianMs: 60_000, longestMs: 90_000, runs: 3 }]]),
  noReturn: new Set(['promote']),
  rtoMs: 900_000,
  held: { by: 'process 4711 on db-1' },
  output: new Map([['restore', 'pg_restore: 12 of 40 tables']]),
}

function progressOf(steps: readonly (Partial<StepProgress> & { id: string })[], parts: Partial<RunProgress> = {}): RunProgress {
  const plan = planOf(steps.map(({ id }) => passingCheck(id, [])))
  return {
    runId: 'orders-20261123',
    input: inputOf(plan, { onsetAt: new Date(nowMs - 130_000).toISOString() }),
    submittedMs: nowMs - 120_000,
    stage: 'steps',
    steps: new Map(
      steps.map((step) => [
        step.id,
        { kind: 'shell', after: [], standing: 'waiting', attempt: 0, attempts: 1, timeoutMs: 600_000, ...step },
      ]),
    ),
    declared: new Map(plan.steps.map((step) => [step.id, step])),
    waits: [],
    reasons: new Map(),
    ...parts,
  }
}

function text(progress: RunProgress, parts: Partial<RunSight> = {}): string {
  return runPicture(progress, { ...sight, ...parts })
    .map((line) =>
      line
        .map((part) => part.text)
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

const middle = progressOf([
  { id: 'fence', standing: 'done', beganMs: nowMs - 120_000, sinceMs: nowMs - 118_000, attempt: 1 },
  { id: 'restore', standing: 'running', sinceMs: nowMs - 90_000, attempt: 2, attempts: 3 },
  { id: 'start', standing: 'retrying', retryAtMs: nowMs + 4000, error: 'connection refused', attempt: 1, attempts: 5 },
  { id: 'promote', after: ['restore'] },
])

test('a run in the middle: what is done, what runs beside its limit and its usual time, what is tried again', () => {
  expect(text(middle)).toMatchInlineSnapshot(`
    "test  running  1 of 4 steps  orders-20261123
    ██░░░░░░░░░░░░░░░░░░  2 min 10 s since the onset, 12 min 50 s left of RTO 15 min
    by alice, held by process 4711 on db-1
    ✓ fence      done in 2 s
    ▶ restore    █┃░░░░░░░░░░░░  1 min 30 s of 10 min, usually 1 min, attempt 2 of 3
        pg_restore: 12 of 40 tables
    ↻ start      attempt 1 of 5 failed; again in 4 s
        connection refused
    · promote ◆  shell, after restore"
  `)
})

test('what a person must type is there, whole, also where it must be broken', () => {
  const waiting = progressOf([{ id: 'cut-over', standing: 'running', attempt: 1 }], {
    waits: [{ name: 'approve:cut-over', kind: 'approve', step: 'cut-over', sinceMs: nowMs, untilMs: nowMs + 3_000_000 }],
  })
  expect(text(waiting)).toContain(
    'cut-over waits for an approval (50 min left):\n  › holdfast run approve orders-20261123 cut-over',
  )
  const narrow = text(waiting, { columns: 30 }).split('› ')[1] ?? ''
  expect(narrow.replaceAll(/ \\\n\s+/g, ' ')).toBe('holdfast run approve orders-20261123 cut-over')
})

test('a decision shows why it is needed, and past the point of no return the picture says so', () => {
  const asked = progressOf(
    [
      { id: 'promote', standing: 'done', sinceMs: nowMs - 1000 },
      { id: 'dns', standing: 'asked', attempt: 1 },
    ],
    { waits: [{ name: 'decide:dns:1', kind: 'decide', step: 'dns', sinceMs: nowMs, because: 'the server refused' }] },
  )
  const shown = text(asked)
  expect(shown).toContain('point of no return passed: promote')
  expect(shown).toContain('dns needs a decision: the server refused')
  expect(shown).toContain('holdfast run decide orders-20261123 dns done|not-done|stop --why TEXT')
})

test('a run that no process works on is not shown as one that goes on', () => {
  const shown = text(middle, { held: { by: undefined } })
  expect(shown).toContain('INTERRUPTED')
  expect(shown).toContain('held by nobody')
  expect(shown).toContain('› holdfast run resume orders-20261123')
  expect(text(middle, { held: undefined })).not.toContain('INTERRUPTED')
})

test('an RTO that is missed is said to be', () => {
  expect(text(middle, { rtoMs: 60_000 })).toContain('RTO 1 min MISSED by 1 min 10 s')
})

test('of a long plan, done and waiting steps are counted where there is no room; what runs is shown', () => {
  const long = progressOf(
    Array.from({ length: 50 }, (_, at) => ({
      id: `step-${at}`,
      standing: at < 30 ? ('done' as const) : at < 33 ? ('running' as const) : ('waiting' as const),
      sinceMs: nowMs,
    })),
  )
  const shown = text(long, { rows: 14 }).split('\n')
  expect(shown.length).toBeLessThanOrEqual(14)
  for (const id of ['step-30', 'step-31', 'step-32', 'step-33']) expect(shown.some((line) => line.includes(id))).toBe(true)
  expect(shown.find((line) => line.includes('before, over'))).toMatch(/^ {2}\d+ steps before, over$/)
  expect(shown.at(-1)).toMatch(/^ {2}\d+ more steps$/)
})

const standings = fc.constantFrom<StepStanding>(
  'waiting',
  'running',
  'checking',
  'retrying',
  'settling',
  'asked',
  'done',
  'tolerated',
  'failed',
  'stopped',
  'unknown',
  'left-out',
  'undoing',
  'undone',
  'undo-failed',
)
const anyText = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.constantFrom('日本語のステップ', 'a\nb', '\u001B[2J'))
const anyTime = fc.integer({ min: nowMs - 10_000_000, max: nowMs + 100_000 })
const anyProgress = fc
  .record({
    steps: fc.uniqueArray(
      fc.record({
        id: anyText,
        standing: standings,
        sinceMs: anyTime,
        beganMs: anyTime,
        retryAtMs: anyTime,
        error: anyText,
        attempt: fc.nat(3),
        attempts: fc.nat(3),
        timeoutMs: fc.nat(1_000_000),
      }),
      { selector: ({ id }) => id, maxLength: 60 },
    ),
    waits: fc.array(
      fc.record({
        kind: fc.constantFrom('approve', 'decide', 'commit', 'other'),
        step: anyText,
        name: anyText,
        sinceMs: anyTime,
        because: anyText,
      }),
      { maxLength: 3 },
    ),
    cancelled: anyText,
  })
  .map(({ steps, ...parts }) => progressOf(steps, parts))

test('whatever a run does, its picture is never wider nor higher than the terminal, and has nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(
      anyProgress,
      fc.integer({ min: 1, max: 140 }),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      (progress, columns, rows, boxes) => {
        const output = new Map([...progress.steps.keys()].map((id) => [id, `${id}\r\n${id}`]))
        const lines = runPicture(progress, { ...sight, columns, rows, output, marks: boxes ? boxMarks : asciiMarks })
        expect(lines.length).toBeLessThanOrEqual(rows)
        for (const line of lines) {
          expect(lineWidth(line)).toBeLessThanOrEqual(columns)
          expect(line.map((part) => part.text).join('')).not.toMatch(/\p{Cc}/u)
        }
      },
    ),
  )
})

test('a bar is as wide as asked, however much time has passed', () => {
  const any = fc.integer({ min: 0, max: 1_000_000 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), any, any, any, (width, elapsedMs, limitMs, usualMs) => {
      expect(lineWidth(bar({ width, elapsedMs, limitMs, usualMs, marks: boxMarks }))).toBe(width)
    }),
  )
  expect(bar({ width: 10, elapsedMs: 5, limitMs: 10, usualMs: 8, marks: asciiMarks }).map(({ text }) => text)).toEqual([
    '#####',
    '...|.',
  ])
})
