import { heading, text, type Block } from '../../recovery/index.ts'
import { controlsOf } from './controls.ts'
import type { OnRecord, ReportFacts } from './facts.ts'
import { chapter, dayText, durationOr, placeText, reasonText, tableOr, timeText } from './words.ts'

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

export function exceptionsChapter(facts: ReportFacts): Block {
  const { status, findings, accepted, checks, backups, ledgers, unseen, madeAt } = facts
  const objectives = status.services.flatMap((service) =>
    (['rpo', 'rto'] as const).flatMap((objective) => {
      const { verdict, because, declaredMs } = service[objective]
      const counts = declaredMs !== undefined && (verdict === 'missed' || verdict === 'unknown')
      return counts ? [{ service: service.service, objective: objective.toUpperCase(), verdict, because }] : []
    }),
  )
  const open = findings.filter(({ closed }) => closed === undefined)
  const records = [
    ...checks
      .filter(({ body }) => body.findings.length > 0)
      .map(({ time, body, records: at }) => ({
        time,
        what: `a check of ${body.repository} found ${body.findings.map(({ code, count }) => `${count} × ${code}`).join(', ')}`,
        at,
      })),
    ...backups
      .filter(({ body }) => body.skipped > 0)
      .map(({ time, service, body, records: at }) => ({
        time,
        what: `a backup of ${service ?? body.source} lacks ${body.skipped} entries that could not be read`,
        at,
      })),
  ]
  return chapter(7, 'Exceptions', [
    heading(3, 'Objectives that are missed or unknown now'),
    tableOr(
      objectives,
      [
        ['service', ({ service }) => service],
        ['objective', ({ objective }) => objective],
        ['verdict', ({ verdict }) => verdict],
        ['because', ({ because }) => reasonText(because)],
      ],
      'None.',
    ),
    heading(3, 'Open findings of drills'),
    tableOr(
      open,
      [
        ['plan', ({ plan }) => plan],
        ['finding', ({ message }) => message],
        ['owner', ({ owner }) => owner],
        ['due', ({ dueAt }) => `${dayText(dueAt)}${new Date(dueAt) < madeAt ? ', overdue' : ''}`],
        ['since', ({ foundAt }) => dayText(foundAt)],
      ],
      'None.',
    ),
    heading(3, 'Weaknesses that were accepted'),
    tableOr(
      accepted,
      [
        ['weakness', ({ lint }) => reasonText(lint)],
        ['of', ({ of }) => of ?? 'all'],
        ['because', ({ because }) => because],
        ['by', ({ by }) => by],
        ['until', ({ until }) => `${until}${until < madeAt.toISOString().slice(0, 10) ? ', expired' : ''}`],
      ],
      'None is accepted in the catalog.',
    ),
    heading(3, 'What went wrong in backups and checks'),
    tableOr(
      records,
      [
        ['time', ({ time }) => timeText(time)],
        ['what', ({ what }) => what],
        ['on record', ({ at }) => placeText(at)],
      ],
      'Nothing is on record in this period.',
    ),
    heading(3, 'What this report could not see'),
    tableOr(
      [
        ...unseen.map(({ repository, because }) => ({ repository, because })),
        ...ledgers
          .filter(({ uncounted }) => uncounted > 0)
          .map(({ repository, uncounted }) => ({
            repository,
            because: `${uncounted} records are damaged, or signed by nobody who is known, and are not counted`,
          })),
      ],
      [
        ['repository', ({ repository }) => repository],
        ['because', ({ because }) => because],
      ],
      'All ledgers of the catalog were read, and every record in them counts.',
    ),
  ])
}

export function controlsChapter(facts: ReportFacts): Block {
  return chapter(8, 'Requirements that this is evidence for', [
    text(
      'What frameworks ask for, in brief, and what is on record for it in this period. Whether a requirement is met is for the auditor to say: the last column is what no ledger can show.',
    ),
    tableOr(
      controlsOf(facts),
      [
        ['framework', ({ framework }) => framework],
        ['reference', ({ reference }) => reference],
        ['asks that', ({ asks }) => asks],
        ['chapters', ({ chapters }) => chapters.join(', ')],
        ['evidence', ({ support, because }) => `${support}: ${because}`],
        ['not shown here', ({ beyond }) => beyond],
      ],
      '',
    ),
  ])
}

export function basisChapter({ ledgers, status, madeOn }: ReportFacts): Block {
  return chapter(9, 'What this rests on', [
    text(
      'Every figure is from a record in one of these ledgers or from the catalog; nothing was typed in. Records are chained and signed. `holdfast ledger export` gives them all to somebody who wants to verify them without Holdfast; the hashes below must be in what they verify.',
    ),
    {
      type: 'facts',
      facts: [
        ['catalog', [`${status.catalog.name}, SHA-256 ${status.catalog.hash}`]],
        ['made by', [`Holdfast ${madeOn.version} on ${madeOn.host}`]],
      ],
    },
    ...ledgers.flatMap(({ repository, id, records, head, uncounted, writers }): Block[] => [
      heading(3, `Ledger in ${repository}`),
      {
        type: 'facts',
        facts: [
          ['repository', [id]],
          ['records', [`${records}, of which ${uncounted} are not counted`]],
          ['newest', [head ? `record ${head.seq}, ${head.hash}` : 'none']],
          ...writers.map((writer) => ['signed by', [writerText(writer)]] as const),
        ],
      },
    ]),
    ...(ledgers.length === 0 ? [text('No ledger could be read.')] : []),
  ])
}

function writerText({ name, key, host, records }: ReportFacts['ledgers'][number]['writers'][number]): string {
  return `${name ?? 'a key that the catalog does not name'} (${key}, on ${host}): ${records} records`
}
