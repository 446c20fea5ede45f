import { text, type Block } from '../../../recovery/index.ts'
import { achievedSvg, type AchievedRow } from '../../charts/achieved-svg.ts'
import type { ServiceReport } from '../../status.ts'
import type { ReportFacts } from '../facts.ts'
import { chapter, durationOr, placeText, reasonText, tableOr, timeText } from '../words.ts'

/** Bars that a chart can have before nobody reads it any more; the table has all. */
const mostBars = 30

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
