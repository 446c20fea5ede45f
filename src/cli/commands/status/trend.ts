import type { TrendMonth } from '../../../objectives/index.ts'
import type { ServiceReport } from '../../../service/index.ts'
import { table } from '../../output/table.ts'
import { drawsBoxes } from '../../output/terminal.ts'
import { durationText } from './wording.ts'

/** Cells of a bar that stand for the whole objective. */
const whole = 10

/** What recoveries and drills achieved, the worst of each month, from the first month with one; a bar beyond `|` is over the objective. */
export function trendLines({ service, trend = [], rpo, rto }: ServiceReport): string[] {
  const first = trend.findIndex(({ runs }) => runs > 0)
  if (first < 0) return ['', `no recovery and no drill of ${service} in the last twelve months`]
  return [
    '',
    `recoveries and drills of ${service}, the worst of each month; | is the objective`,
    table<TrendMonth>(
      [
        { title: 'month', value: ({ month }) => month },
        { title: 'runs', value: ({ runs }) => String(runs), align: 'right' },
        { title: 'failed', value: ({ failed }) => String(failed), align: 'right' },
        { title: 'lost', value: ({ rpaMs }) => durationText(rpaMs), align: 'right' },
        { title: 'of RPO', value: ({ rpaMs }) => bar(rpaMs, rpo.declaredMs) },
        { title: 'took', value: ({ rtaMs }) => durationText(rtaMs), align: 'right' },
        { title: 'of RTO', value: ({ rtaMs }) => bar(rtaMs, rto.declaredMs) },
      ],
      trend.slice(first),
    ),
  ]
}

/** `████······|`; what is over twice the objective is cut, and its figure says so. */
function bar(actualMs: number | undefined, declaredMs: number | undefined): string {
  if (actualMs === undefined || declaredMs === undefined) return '-'
  const [full, empty] = drawsBoxes() ? ['█', '·'] : ['#', '.']
  const cells = Math.min(2 * whole, Math.ceil((actualMs / Math.max(1, declaredMs)) * whole))
  return `${full.repeat(Math.min(whole, cells))}${empty.repeat(Math.max(0, whole - cells))}|${full.repeat(Math.max(0, cells - whole))}`
}
