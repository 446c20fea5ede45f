import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PreparedRecovery, RecoveryForecast } from '../../../service/index.ts'
import { lineWidth } from '../../output/line.ts'
import { graphText } from './graph-formats.ts'
import { planPicture } from './plan-picture.ts'
import { expectedLines, findingsText } from './plan-text.ts'

type Step = PreparedRecovery['steps'][number]

function step(id: string, after: readonly string[], parts: Partial<Step> = {}): Step {
  return {
    id,
    kind: 'shell',
    effect: 'reversible',
    after,
    timeoutMs: 60_000,
    attempts: 1,
    check: false,
    undo: true,
    manual: [],
    ...parts,
  }
}

const steps = [
  step('fence', []),
  step('start', [], { attempts: 3 }),
  step('promote', ['fence'], { effect: 'point-of-no-return', undo: false }),
  step('warm', ['start']),
  step('verify', ['promote', 'warm'], { effect: 'read-only', undo: false }),
]

const forecast: RecoveryForecast = {
  steps: steps.map(({ id }) => ({
    id,
    beginsMs: 0,
    endsMs: 1000,
    critical: id !== 'warm' && id !== 'start',
    time: { medianMs: 1000, longestMs: 2000, runs: 4 },
  })),
  totalMs: 3000,
  basis: 'estimated',
  criticalPath: ['fence', 'promote', 'verify'],
  neverRun: [],
  rtoMs: 60_000,
  fits: true,
}

function text(lines: ReturnType<typeof planPicture>): string {
  return lines
    .map((line) =>
      line
        .map((part) => part.text)
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

test('the picture of a plan: order, parallel steps, the line that is crossed once, times', () => {
  expect(text(planPicture(steps, forecast, { columns: 72, boxes: true }))).toMatchInlineSnapshot(`
    "●   1 fence  shell                                  usually 1 s (4 runs)
    │     reversible · at most 1 min · no retry · undo: yes
    │ ○ 2 start  shell                                  usually 1 s (4 runs)
    │ │   reversible · at most 1 min · 2 retries · undo: yes
    │ ○ 3 warm  shell                                   usually 1 s (4 runs)
    │ │   reversible · at most 1 min · no retry · undo: yes
    ╪═╪═ ▼ point of no return ══════════════════════════════════════════════
    ◆ │ 4 promote  shell                                usually 1 s (4 runs)
    │ │   POINT OF NO RETURN · at most 1 min · no retry · undo: no
    ●─╯ 5 verify  shell                                 usually 1 s (4 runs)
          read-only · after promote, warm · at most 1 min · no retry"
  `)
})

const anyPlan = fc.array(
  fc.record({ after: fc.array(fc.nat(20), { maxLength: 5 }), final: fc.boolean(), id: fc.string({ unit: 'grapheme' }) }),
  {
    minLength: 1,
    maxLength: 20,
  },
)

test('no line of a plan is wider than the terminal, however many steps run beside each other', () => {
  fc.assert(
    fc.property(anyPlan, fc.integer({ min: 20, max: 120 }), fc.boolean(), (parts, columns, boxes) => {
      const names = parts.map(({ id }, at) => `${at}${id}`)
      const plan = parts.map(({ after, final }, at) =>
        step(
          names[at] ?? '',
          after.filter((before) => before < at).map((before) => names[before] ?? ''),
          final ? { effect: 'point-of-no-return' } : {},
        ),
      )
      const unknown: RecoveryForecast = { steps: [], totalMs: 0, basis: 'unknown', criticalPath: [], neverRun: names, rtoMs: 1 }
      for (const line of [...planPicture(plan, unknown, { columns, boxes }), ...expectedLines(unknown, columns)]) {
        expect(lineWidth(line)).toBeLessThanOrEqual(columns)
      }
    }),
  )
})

test('what is expected is never said to fit where a step has never run', () => {
  const said = (parts: Partial<RecoveryForecast>) => text(expectedLines({ ...forecast, ...parts }, 100))
  expect(said({})).toContain('expected: 3 s · estimated from past runs · RTO 1 min: fits, 57 s to spare')
  expect(said({ totalMs: 90_000, fits: false })).toContain('RTO 1 min: too long by 30 s')
  const { fits: _fits, ...unsure } = { ...forecast, basis: 'unknown' as const, neverRun: ['warm'] }
  expect(text(expectedLines(unsure, 100))).toContain('expected: at least 3 s · never run: warm · RTO 1 min: unknown')
})

test('findings: blockers first, those of one step beside each other', () => {
  const finding = (severity: 'blocker' | 'warning', of: string, message: string) => ({ severity, step: of, code: 'x', message })
  const found = [
    finding('warning', 'a', 'w1'),
    finding('blocker', 'b', 'b1'),
    finding('blocker', 'a', 'b2'),
    finding('blocker', 'b', 'b3'),
  ]
  const lines = findingsText(found, { columns: 80, boxes: false }).split('\n')
  expect(lines).toEqual(['3 blockers: the run would not begin', '  a: b2', '  b: b1', '  b: b3', '1 warning', '  a: w1'])
})

test('other programs get every step, every edge, and the point of no return', () => {
  const prepared = { input: { plan: { name: 'a "plan"' } }, steps } as unknown as PreparedRecovery
  const mermaid = graphText(prepared, forecast, 'mermaid')
  expect(mermaid).toContain('s3{{"promote<br/>shell<br/>usually 1 s"}}:::strong')
  expect(mermaid.match(/-->/g)).toHaveLength(4)
  const dot = graphText(prepared, forecast, 'dot')
  expect(dot).toContain(String.raw`digraph "a \"plan\"" {`)
  expect(dot.match(/->/g)).toHaveLength(4)
})
