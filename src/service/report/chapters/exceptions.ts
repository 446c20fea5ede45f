import { rangeText } from '../../../catalog/index.ts'
import { heading, type Block } from '../../../recovery/index.ts'
import type { ReportFacts } from '../facts.ts'
import { chapter, dayText, placeText, reasonText, tableOr, timeText } from '../words.ts'

export function exceptionsChapter(facts: ReportFacts): Block {
  const { status, findings, accepted, checks, backups, ledgers, unseen, madeAt, maintenance, environment } = facts
  const of = environment === undefined ? '' : ` for services of ${environment}`
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
      `None${of} is accepted in the catalog.`,
    ),
    heading(3, 'Announced maintenance'),
    tableOr(
      maintenance.windows,
      [
        ['what', ({ title }) => title],
        ['of', ({ services, sites, environments }) => [...services, ...sites, ...environments].join(', ')],
        [
          'when',
          ({ when }) =>
            when.kind === 'weekly'
              ? `${rangeText(when.range)} (${maintenance.timeZone})`
              : `${timeText(when.from)} to ${timeText(when.to)}`,
        ],
      ],
      `None${of} is in the catalog for this period.`,
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
      'All ledgers of the catalog were read, and every record that this report read counts.',
    ),
  ])
}
