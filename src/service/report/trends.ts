import { monthlyTrend } from '../../objectives/index.ts'
import { heading, strong, text, type Block } from '../../recovery/index.ts'
import { trendSvg } from '../charts/trend-svg.ts'
import type { ReportFacts } from './facts.ts'
import { durationOr, tableOr } from './words.ts'

/** So many services have charts; of all there is the table. */
const mostTrends = 12

/** What services achieved month by month, of those that were tried: those that came closest to their RTO, or missed it, first. */
export function trendBlocks({ runs, status, period, unseen, ledgers }: ReportFacts): Block[] {
  const all = status.services.flatMap(({ service, rpo, rto }) => {
    const achieved = runs
      .filter((run) => run.service === service)
      .map(({ time, shown, body: { rpaMs } }) => ({ time, ...shown, ...(rpaMs === undefined ? {} : { rpaMs }) }))
    if (achieved.length === 0) return []
    const months = monthlyTrend(achieved, period)
    const worst = Math.max(...months.map(({ rtaMs, failed }) => (failed > 0 ? Infinity : (rtaMs ?? 0) / (rto.declaredMs ?? 1))))
    return [{ title: `Achieved by ${service}, the worst of each month`, months, rpo, rto, worst }]
  })
  const shown = all.toSorted((a, b) => b.worst - a.worst).slice(0, mostTrends)
  if (shown.length === 0) return []
  const lacking = unseen.length > 0 || ledgers.some(({ uncounted }) => uncounted > 0)
  const left = all.length - shown.length
  return [
    heading(3, 'Month by month'),
    text(
      `The line is the objective of today, × a month in which one failed. A month without a bar: nothing was proven.${lacking ? ' Not all ledgers could be read whole (chapter 7): months may lack runs.' : ''}${left > 0 ? ` ${left} more services that were tried are in the table below only.` : ''}`,
    ),
    ...shown.map(({ title, months, rpo, rto }): Block => ({
      type: 'picture',
      svg: trendSvg(title, months, { rtoMs: rto.declaredMs, rpoMs: rpo.declaredMs }),
      instead: [
        text(strong(title)),
        tableOr(
          months,
          [
            ['month', ({ month }) => month],
            ['runs', (month) => String(month.runs)],
            ['failed', ({ failed }) => String(failed)],
            ['lost', ({ rpaMs }) => durationOr(rpaMs)],
            ['took', ({ rtaMs }) => durationOr(rtaMs)],
          ],
          '',
        ),
      ],
    })),
  ]
}
