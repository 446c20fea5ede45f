import { heading, text, type Block } from '../../../recovery/index.ts'
import type { OnRecord, ReportFacts } from '../facts.ts'
import { chapter, durationOr, placeText, tableOr, timeText } from '../words.ts'

export function experimentsChapter({ experiments }: ReportFacts): Block {
  const byName = [...Map.groupBy(experiments, ({ body }) => body.experiment).values()]
  const one = (runs: readonly OnRecord<'experiment'>[]): Block[] => {
    const last = runs.at(-1)
    if (!last) return []
    const { experiment, environment, services, basis, recoversWithinMs } = last.body
    const rate = `${basis.passed} of ${basis.runs}; at 95 % between ${percent(basis.lower)} and ${percent(basis.upper)} of runs pass`
    return [
      {
        type: 'step',
        noReturn: false,
        blocks: [
          heading(3, experiment),
          {
            type: 'facts',
            facts: [
              ['services', [services.join(', ') || 'none named']],
              ['environment', [environment]],
              [
                'expected',
                [
                  environment === 'unstated'
                    ? 'the steady state is met whenever it is looked at'
                    : recoversWithinMs === undefined
                      ? 'the steady state holds all the time'
                      : `it is back within ${durationOr(recoversWithinMs)}`,
                ],
              ],
              ['of this version', [rate]],
            ],
          },
          tableOr(
            runs,
            [
              ['time', ({ body }) => timeText(body.startedAt)],
              ['by', ({ body }) => body.by],
              ['verdict', ({ body }) => body.verdict],
              ['because', ({ body }) => body.because.join('; ') || '–'],
              [
                'faults',
                ({ body }) => body.faults.map(({ name, state, undo }) => `${name}: ${state}, ${undo}`).join('; ') || 'none',
              ],
              ['back after', ({ body }) => (body.recoveryMs === undefined ? 'not, or unknown' : durationOr(body.recoveryMs))],
              [
                'looks during',
                ({ body }) =>
                  body.samples.during ? `${body.samples.during.steady} steady of ${body.samples.during.seen}` : 'none',
              ],
              ['on record', ({ records }) => placeText(records)],
            ],
            '',
          ),
        ],
      },
    ]
  }
  return chapter(6, 'Experiments', [
    ...(byName.length === 0 ? [text('No experiment is on record in this period.')] : []),
    ...byName.flatMap(one),
  ])
}

function percent(rate: number): string {
  return `${Math.round(rate * 100)} %`
}
