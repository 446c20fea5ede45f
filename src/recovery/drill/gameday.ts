import { formatDuration } from '../../kernel/index.ts'
import { code, heading, list, strong, text, type Block, type Inline } from '../runbook/document.ts'

/** All that is known of one drill, as it stands in its record. Times are ISO 8601 or Dates, durations ms. */
export interface GamedayFacts {
  readonly runId: string
  readonly plan: string
  readonly planHash: string
  readonly mode: 'sandbox' | 'live' | 'recovery'
  /** Absent: its record does not say. */
  readonly form?: 'normal' | 'disaster'
  /** The repository that it was told to restore from. */
  readonly restoreFrom?: string
  readonly began: Date
  readonly status: string
  readonly requestedBy?: string
  readonly scenario?: string
  readonly participants: readonly string[]
  readonly window?: { readonly from: string; readonly to: string }
  /** What kept it from production. */
  readonly isolation?: string
  readonly cleanedUp?: boolean
  readonly achieved: readonly GamedayFigures[]
  readonly phases: readonly (readonly [name: string, ms: number])[]
  readonly changes: readonly { readonly step: string; readonly how: string; readonly because: string }[]
  readonly timeline: readonly { readonly at: Date; readonly what: string }[]
  readonly failure?: string
  readonly findings: readonly GamedayFinding[]
  readonly records: readonly { readonly repository: string; readonly seq: number }[]
}

export interface GamedayFigures {
  readonly service: string
  readonly objective: 'RPO' | 'RTO'
  readonly declaredMs?: number
  readonly actualMs?: number
  readonly verdict: string
  /** Of the drills of this kind before it, the newest first. */
  readonly earlierMs: readonly number[]
}

interface GamedayFinding {
  readonly id: string
  readonly message: string
  readonly owner: string
  readonly dueAt: string
  readonly closed?: { readonly by: string; readonly why: string }
}

/** The record of a drill in words, for any of the formats that runbooks have. */
export function gamedayBlocks(facts: GamedayFacts): Block[] {
  const { plan, mode } = facts
  const title = mode === 'live' ? 'Gameday' : mode === 'sandbox' ? 'Sandbox drill' : 'Recovery'
  return [
    { type: 'heading', level: 1, text: `${title}: ${plan}` },
    { type: 'facts', facts: aboutFacts(facts) },
    heading(2, 'What it achieved'),
    achievedTable(facts),
    text(
      'Where the time went: ',
      facts.phases
        .filter(([, ms]) => ms > 0)
        .map(([name, ms]) => `${name} ${formatDuration(ms)}`)
        .join(', '),
      '.',
    ),
    ...(facts.changes.length === 0
      ? []
      : [
          heading(2, 'Not proven by it'),
          list(
            'bullet',
            facts.changes.map(({ step, how, because }) => [code(step), ` ${how}: ${because}`]),
          ),
        ]),
    heading(2, 'Timeline'),
    list(
      'bullet',
      facts.timeline.map(({ at, what }) => [`${at.toISOString().slice(0, 19).replace('T', ' ')} UTC  ${what}`]),
    ),
    heading(2, 'Findings'),
    ...findingBlocks(facts.findings),
    text(
      'On record: ',
      facts.records.length === 0
        ? strong('nowhere')
        : facts.records.map(({ repository, seq }) => `record ${seq} in ${repository}`).join(', '),
      '.',
    ),
  ]
}

function aboutFacts(facts: GamedayFacts): (readonly [string, readonly Inline[]])[] {
  const { runId, planHash, began, status, requestedBy, scenario, participants, window, isolation, cleanedUp, failure } = facts
  const { form, restoreFrom } = facts
  const optional = (label: string, value: string | undefined) => (value === undefined ? [] : [[label, [value]] as const])
  return [
    ['Run', [code(runId)]],
    ['Began', [`${began.toISOString().slice(0, 16).replace('T', ' ')} UTC`]],
    ['Ended', [strong(status), ...(failure === undefined ? [] : [`: ${failure}`])]],
    ...optional('Scenario', scenario),
    ...optional('Started by', requestedBy),
    ['Participants', [participants.length === 0 ? 'none named' : participants.join(', ')]],
    ...optional('Announced for', window === undefined ? undefined : `${window.from} to ${window.to}`),
    ...optional('Form', form === 'disaster' ? 'disaster: as when the source site cannot be reached' : form),
    ...optional('Restored from', restoreFrom),
    ...optional('Isolation', isolation),
    ...optional('Cleaned up', cleanedUp === undefined ? undefined : cleanedUp ? 'yes' : 'NO'),
    ['Plan', [code(planHash.slice(0, 12))]],
  ]
}

function achievedTable({ achieved }: GamedayFacts): Block {
  const durationOr = (ms: number | undefined) => (ms === undefined ? 'unknown' : formatDuration(ms))
  return {
    type: 'table',
    columns: ['service', 'objective', 'declared', 'achieved', 'verdict', 'than before', 'earlier'],
    rows: achieved.map(({ service, objective, declaredMs, actualMs, verdict, earlierMs }) => [
      service,
      objective,
      durationOr(declaredMs),
      durationOr(actualMs),
      verdict,
      deltaText(actualMs, earlierMs[0]),
      earlierMs.length === 0 ? '-' : earlierMs.map(formatDuration).join(', '),
    ]),
  }
}

function deltaText(ms: number | undefined, beforeMs: number | undefined): string {
  if (ms === undefined || beforeMs === undefined) return '-'
  return ms === beforeMs ? 'same' : `${ms > beforeMs ? '+' : '-'}${formatDuration(Math.abs(ms - beforeMs))}`
}

function findingBlocks(findings: readonly GamedayFinding[]): Block[] {
  if (findings.length === 0) return [text('None.')]
  return [
    list(
      'check',
      findings.map(({ id, message, owner, dueAt, closed }) => [
        code(id),
        ` ${message}. `,
        closed === undefined ? `${owner}, until ${dueAt.slice(0, 10)}` : `Closed by ${closed.by}: ${closed.why}`,
      ]),
    ),
  ]
}
