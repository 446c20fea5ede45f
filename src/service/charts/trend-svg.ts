import type { TrendMonth } from '../../objectives/index.ts'
import { barElements, leastSize } from './bar.ts'
import { element, fitting, picture, textElement } from './svg.ts'

const plot = { left: 60, width: 560, height: 64, gap: 34, top: 54 }
/** The objective is drawn here; what is beyond twice of it is cut. */
const shareAtTop = 2

/** What was achieved month by month as a share of the objectives (ms), worst of each month: above the time it took, below what was lost. */
export function trendSvg(
  title: string,
  months: readonly TrendMonth[],
  { rtoMs, rpoMs }: { readonly rtoMs?: number | undefined; readonly rpoMs?: number | undefined },
): string {
  const width = plot.left + plot.width + 24
  const height = plot.top + 2 * plot.height + plot.gap + 42
  const step = plot.width / Math.max(1, months.length)
  const every = Math.ceil(months.length / 8)
  const labels = months.flatMap(({ month }, index) =>
    index % every === 0 ? [label(month, { x: plot.left + (index + 0.5) * step, y: height - 12, 'text-anchor': 'middle' })] : [],
  )
  const below = plot.top + plot.height + plot.gap
  return picture(width, height, title, [
    element('rect', { width, height, fill: '#fff' }),
    textElement(fitting(title, width - 32, 15), { x: 16, y: 24, 'font-size': 15, fill: '#222' }),
    ...panel('RTO', plot.top, months, step, ({ rtaMs }) => shareOf(rtaMs, rtoMs)),
    ...panel('RPO', below, months, step, ({ rpaMs }) => shareOf(rpaMs, rpoMs)),
    ...labels,
  ])
}

function shareOf(actualMs: number | undefined, declaredMs: number | undefined): number | undefined {
  return actualMs === undefined || declaredMs === undefined ? undefined : actualMs / Math.max(1, declaredMs)
}

/** A month in which something failed has a cross below the line, told without colours too. */
function panel(
  name: string,
  top: number,
  months: readonly TrendMonth[],
  step: number,
  share: (month: TrendMonth) => number | undefined,
): string[] {
  const bottom = top + plot.height
  const line = bottom - plot.height / shareAtTop
  const right = plot.left + plot.width
  const bars = months.flatMap((month, index) => {
    const used = share(month)
    const x = plot.left + index * step + step * 0.2
    const tall = Math.max(leastSize, (Math.min(shareAtTop, used ?? 0) / shareAtTop) * plot.height)
    const missed = used !== undefined && used > 1
    return [
      ...(used === undefined ? [] : barElements({ x, y: bottom - tall, width: step * 0.6, height: tall, missed })),
      ...(month.failed > 0 ? [label('×', { x: plot.left + (index + 0.5) * step, y: bottom + 11, 'text-anchor': 'middle' })] : []),
    ]
  })
  return [
    label(name, { x: plot.left - 8, y: line + 4, 'text-anchor': 'end' }),
    ...bars,
    element('line', { x1: plot.left, x2: right, y1: line, y2: line, stroke: '#000', 'stroke-dasharray': '5 3' }),
    element('line', { x1: plot.left, x2: right, y1: bottom, y2: bottom, stroke: '#000' }),
  ]
}

function label(text: string, attributes: Readonly<Record<string, string | number>>): string {
  return textElement(text, { 'font-size': 11, fill: '#222', ...attributes })
}
