import { heading, type Block } from '../../../recovery/index.ts'
import type { ReportedRun, ReportFacts } from '../facts.ts'
import { trendBlocks } from '../trends.ts'
import { chapter, dayText, durationOr, placeText, tableOr, timeText } from '../words.ts'

export function runsChapter(facts: ReportFacts): Block {
  const { runs } = facts
  const byRun = [...Map.groupBy(runs, ({ body }) => body.runId).values()]
  return chapter(3, 'Recoveries and drills', [
    ...trendBlocks(facts),
    tableOr(
      runs,
      [
        ['time', ({ time }) => timeText(time)],
        ['plan', ({ body }) => body.plan],
        ['service', ({ service }) => service ?? '–'],
        ['how', ({ body }) => (body.mode === 'real' ? 'for real' : body.mode.replace('-', ', '))],
        ['outcome', ({ shown }) => `${shown.outcome}, ${shown.checks - shown.checksFailed} of ${shown.checks} checks`],
        ['lost', ({ body }) => durationOr(body.rpaMs)],
        ['took', ({ shown }) => durationOr(shown.rtaMs)],
        ['objectives', ({ shown }) => shown.verdict],
        ['on record', ({ records }) => placeText(records)],
      ],
      'No recovery and no drill is on record in this period.',
    ),
    ...byRun.flatMap(([first]) => (first?.body.drill ? [drillBlock(first, first.body.drill)] : [])),
  ])
}

function drillBlock({ time, body }: ReportedRun, drill: NonNullable<ReportedRun['body']['drill']>): Block {
  return {
    type: 'step',
    noReturn: false,
    blocks: [
      heading(3, `Drill of ${body.plan}, ${timeText(time)}`),
      {
        type: 'facts',
        facts: [
          ['run', [body.runId]],
          ['asked for by', [drill.requestedBy]],
          ['participants', [drill.participants.join(', ') || 'none named']],
          ['scenario', [drill.scenario ?? 'none stated']],
          ['window', [drill.window ? `${timeText(drill.window.from)} to ${timeText(drill.window.to)}` : 'none announced']],
          ['steps', [`${drill.steps.length}: ${counted(drill.steps.map(({ state }) => state))}`]],
          ...(drill.failure === undefined ? [] : [['failed because', [drill.failure]] as const]),
          ['cleaned up', [drill.cleanedUp === undefined ? 'not asked' : drill.cleanedUp ? 'yes' : 'no']],
        ],
      },
      tableOr(
        drill.changes,
        [
          ['step', ({ step }) => step],
          ['done otherwise', ({ how }) => how],
          ['because', ({ because }) => because],
        ],
        'Every step was done as a recovery would.',
      ),
      tableOr(
        drill.findings,
        [
          ['finding', ({ message }) => message],
          ['owner', ({ owner }) => owner],
          ['due', ({ dueAt }) => dayText(dueAt)],
        ],
        'It found nothing.',
      ),
    ],
  }
}

function counted(values: readonly string[]): string {
  return [...Map.groupBy(values, (value) => value)].map(([value, all]) => `${all.length} ${value}`).join(', ')
}
