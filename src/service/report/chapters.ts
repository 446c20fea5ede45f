import { copyNeeds, copyRules, isProof, type CopyRule } from '../../objectives/index.ts'
import { heading, strong, text, type Block } from '../../recovery/index.ts'
import { achievedSvg, type AchievedRow } from '../charts/achieved-svg.ts'
import { activitySvg, type ActivityColumn } from '../charts/activity-svg.ts'
import type { ServiceReport } from '../status.ts'
import type { ReportedRun, ReportFacts } from './facts.ts'
import { trendBlocks } from './trends.ts'
import { chapter, dayText, durationOr, placeText, reasonText, sizeOr, tableOr, timeText } from './words.ts'

/** Bars that a chart can have before nobody reads it any more; the table has all. */
const mostBars = 30

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

export function objectivesChapter({ status, madeAt }: ReportFacts): Block {
  const rows = status.services.map(({ service, rto }): AchievedRow & { readonly worst: number } => {
    const share =
      rto.declaredMs === undefined || rto.actualMs === undefined ? undefined : rto.actualMs / Math.max(1, rto.declaredMs)
    const figure = `${durationOr(rto.actualMs)} of ${durationOr(rto.declaredMs)}`
    return {
      label: service,
      text: share === undefined ? 'unknown' : figure,
      worst: share ?? Infinity,
      ...(share === undefined ? {} : { share }),
    }
  })
  const worst = rows.toSorted((a, b) => b.worst - a.worst).slice(0, mostBars)
  const title =
    rows.length > mostBars
      ? `Recovery time against its objective: the worst ${mostBars} of ${rows.length}`
      : 'Recovery time against its objective'
  return chapter(2, 'Objectives, and what was achieved', [
    text(
      `As of ${timeText(madeAt)}. RPO: what would be lost if the service were lost now. RTO: what the last checked recovery or drill took. The basis says how a figure is known: measured by a recovery, a drill or a compared restore; estimated, never yet shown; stale, shown too long ago or for another plan; unknown. Unknown is never met.`,
    ),
    ...(rows.length === 0 ? [] : [{ type: 'picture', svg: achievedSvg(title, worst), instead: [] } as const]),
    tableOr(
      status.services,
      [
        ['service', ({ service }) => service],
        ['tier', ({ tier }) => (tier === undefined ? '–' : String(tier))],
        ['RPO', ({ rpo }) => durationOr(rpo.declaredMs)],
        ['would lose', ({ rpo }) => durationOr(rpo.actualMs)],
        ['basis, verdict', (row) => judgement(row, 'rpo')],
        ['RTO', ({ rto }) => durationOr(rto.declaredMs)],
        ['took', ({ rto }) => durationOr(rto.actualMs)],
        ['basis, verdict', (row) => judgement(row, 'rto')],
        ['on record', ({ rpo, rto }) => placeText([...rpo.evidence, ...rto.evidence]) || 'nothing'],
      ],
      'The catalog names no service: there is nothing to judge.',
    ),
  ])
}

function judgement(row: ServiceReport, objective: 'rpo' | 'rto'): string {
  const { basis, verdict, because } = row[objective]
  return verdict === 'met' ? `${basis}, met` : `${basis}, ${verdict}: ${reasonText(because)}`
}

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

export function restoresChapter({ restores }: ReportFacts): Block {
  const sum = (of: (body: (typeof restores)[number]['body']) => number) =>
    restores.reduce((total, { body }) => total + of(body), 0)
  return chapter(4, 'Restore tests', [
    ...(restores.length === 0
      ? []
      : [
          text(
            `${restores.length} in all: ${sum(({ files }) => files)} files and ${sizeOr(sum(({ sizeBytes }) => sizeBytes))} came back, ${sum(({ verifiedFiles }) => verifiedFiles)} files were compared with what was backed up, ${sum(({ skipped }) => skipped)} could not be restored. A restore of which nothing was compared proves nothing.`,
          ),
        ]),
    tableOr(
      restores,
      [
        ['time', ({ time }) => timeText(time)],
        ['service', ({ service }) => service ?? '–'],
        ['snapshot', ({ body }) => body.snapshot.slice(0, 8)],
        ['from', ({ body }) => body.repository],
        ['files', ({ body }) => `${body.files}${body.partial === true ? ' (a part)' : ''}`],
        ['size', ({ body }) => sizeOr(body.sizeBytes)],
        ['compared', ({ body }) => (body.verifiedFiles === 0 ? 'none: no proof' : String(body.verifiedFiles))],
        ['not restored', ({ body }) => String(body.skipped)],
        ['took', ({ body }) => durationOr(body.durationMs)],
        ['on record', ({ records }) => placeText(records)],
      ],
      'No restore is on record in this period: that the backups can be restored was not shown.',
    ),
  ])
}

function ruleTitle(rule: CopyRule): string {
  return rule === 'errors' ? 'errors (0)' : `${rule} (${copyNeeds[rule]})`
}

export function copiesChapter({ backups, checks, removals, copies, status, madeAt }: ReportFacts): Block {
  const proven = status.services.flatMap(({ service, copies: counted }) =>
    counted === undefined ? [] : [{ service, ...counted }],
  )
  const byPlace = [
    ...Map.groupBy(backups, ({ service, body }) => JSON.stringify([service ?? '–', body.repository, body.source])).entries(),
  ]
  return chapter(5, 'Backups, copies and their checks', [
    heading(3, 'Where the catalog says that copies go'),
    tableOr(
      copies,
      [
        ['service', ({ service }) => service],
        [
          'repositories',
          ({ to }) => to.map(({ repository, site, media }) => `${repository} (${site}, ${media})`).join(', ') || 'none',
        ],
        ['off site', ({ to }) => (to.some(({ offSite }) => offSite) ? 'yes' : 'no')],
        [
          'immutable',
          ({ to }) =>
            to
              .flatMap(({ repository, immutableForMs }) =>
                immutableForMs === undefined ? [] : [`${repository}: ${durationOr(immutableForMs)}, as declared`],
              )
              .join(', ') || 'none declared',
        ],
      ],
      'No service holds data.',
    ),
    heading(3, 'Copies that are proven: 3-2-1-1-0'),
    text(
      `As of ${timeText(madeAt)}. A copy counts when all of the data is in it, from the last 90 days, and all of it was read and found right within the last 90 days, by a check or a compared restore. The original is one of the copies, on disk; off site is another site and another account.`,
    ),
    tableOr(
      proven,
      [
        ['service', ({ service }) => service],
        ...copyRules.map((rule) => [ruleTitle(rule), ({ counts }: (typeof proven)[number]) => String(counts[rule])] as const),
        ['kept', ({ verdict }) => (verdict === 'met' ? 'yes' : verdict === 'missed' ? 'no' : 'unknown')],
        [
          'do not count',
          (row) =>
            row.copies
              .flatMap(({ repository, problem }) => (problem === undefined ? [] : [`${repository}: ${problem}`]))
              .join(', ') || 'none',
        ],
        ['on record', (row) => placeText(row.copies.flatMap(({ records }) => records)) || 'nothing'],
      ],
      'No service holds data.',
    ),
    heading(3, 'Backups'),
    tableOr(
      byPlace,
      [
        ['service', ([key]) => (JSON.parse(key) as string[])[0] ?? '–'],
        ['repository', ([key]) => (JSON.parse(key) as string[])[1] ?? '–'],
        ['source', ([key]) => (JSON.parse(key) as string[])[2] ?? '–'],
        ['backups', ([, all]) => String(all.length)],
        ['newest', ([, all]) => timeText(all.at(-1)?.body.snapshotTime ?? (0 as never))],
        ['its size', ([, all]) => sizeOr(all.at(-1)?.body.sizeBytes)],
        ['lacking something', ([, all]) => String(all.filter(({ body }) => body.skipped > 0).length)],
      ],
      'No backup is on record in this period.',
    ),
    heading(3, 'Checks of repositories'),
    tableOr(
      checks,
      [
        ['time', ({ time }) => timeText(time)],
        ['repository', ({ body }) => body.repository],
        ['depth', ({ body }) => (body.depth === 'data' ? 'every byte' : 'structure')],
        ['snapshots', ({ body }) => String(body.snapshots)],
        ['read', ({ body }) => sizeOr(body.readBytes)],
        [
          'found',
          ({ body }) =>
            body.snapshots === 0
              ? 'nothing was looked at'
              : body.findings.map(({ code, count }) => `${count} × ${code}`).join(', ') || 'no damage',
        ],
        ['on record', ({ records }) => placeText(records)],
      ],
      'No check of a repository is on record in this period.',
    ),
    heading(3, 'Snapshots that were removed'),
    tableOr(
      removals,
      [
        ['time', ({ time }) => timeText(time)],
        ['repository', ({ body }) => body.repository],
        ['removed', ({ body }) => String(body.removed.length)],
        ['by', ({ body }) => body.rules?.join(', ') ?? 'named one by one'],
        ['on record', ({ records }) => placeText(records)],
      ],
      'None is on record in this period.',
    ),
  ])
}
