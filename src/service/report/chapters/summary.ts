import { isProof } from '../../../objectives/index.ts'
import { heading, strong, text, type Block } from '../../../recovery/index.ts'
import { activitySvg, type ActivityColumn } from '../../charts/activity-svg.ts'
import type { ReportFacts } from '../facts.ts'
import { dayText, tableOr } from '../words.ts'

export function summaryChapter({
  period,
  status,
  runs,
  restores,
  backups,
  checks,
  experiments,
  findings,
  unseen,
}: ReportFacts): Block {
  const verdicts = (['met', 'at-risk', 'missed', 'unknown'] as const).map(
    (verdict) => [verdict, status.services.filter((service) => service.verdict === verdict).length] as const,
  )
  const runIds = new Set(runs.map(({ body }) => body.runId))
  const proven = new Set(runs.filter(({ shown }) => isProof(shown)).map(({ body }) => body.runId))
  const compared = restores.filter(({ body }) => body.verifiedFiles > 0)
  const counts: readonly (readonly [string, string])[] = [
    ['services', `${status.services.length}: ${verdicts.map(([verdict, count]) => `${count} ${verdict}`).join(', ')}`],
    ['recoveries and drills', `${runIds.size}, of which ${proven.size} came to their end and were checked`],
    ['restore tests', `${restores.length}, of which ${compared.length} were compared with what was backed up`],
    ['backups', `${backups.length}, of which ${backups.filter(({ body }) => body.skipped > 0).length} lack something`],
    [
      'checks of repositories',
      `${checks.length}, of which ${checks.filter(({ body }) => body.findings.length > 0).length} found damage`,
    ],
    ['experiments', `${experiments.length}, of which ${experiments.filter(({ body }) => body.verdict === 'pass').length} passed`],
    ['open findings of drills', String(findings.filter(({ closed }) => closed === undefined).length)],
  ]
  return {
    type: 'chapter',
    blocks: [
      heading(2, '1. Summary'),
      ...unseen.map(({ repository, because }): Block => ({
        type: 'alarm',
        title: `${repository} could not be looked into`,
        text: [`What its ledger says is missing from this report: ${because}.`],
      })),
      { type: 'facts', facts: counts.map(([label, value]) => [label, [value]] as const) },
      ...activity('Recoveries, drills and restore tests', period, [
        ...runs.map(({ time, shown }) => ({ time, good: isProof(shown) })),
        ...restores.map(({ time, body }) => ({ time, good: body.verifiedFiles > 0 && body.skipped === 0 })),
      ]),
    ],
  }
}

/** Nothing to draw where nothing happened: the figures say so. */
function activity(title: string, { from, to }: ReportFacts['period'], events: readonly { time: Date; good: boolean }[]): Block[] {
  if (events.length === 0) return []
  const columns = 12
  const step = (to.getTime() - from.getTime()) / columns
  const rows = Array.from({ length: columns }, (_, index): ActivityColumn => {
    const start = from.getTime() + index * step
    const within = events.filter(
      ({ time }) => time.getTime() >= start && (time.getTime() < start + step || index === columns - 1),
    )
    const good = within.filter((event) => event.good).length
    return { label: dayText(new Date(start)), good, bad: within.length - good }
  })
  const instead = tableOr(
    rows,
    [
      ['from', ({ label }) => label],
      ['went well', ({ good }) => String(good)],
      ['did not', ({ bad }) => String(bad)],
    ],
    '',
  )
  return [{ type: 'picture', svg: activitySvg(title, rows), instead: [text(strong(title)), instead] }]
}
