import { formatDuration } from '../../kernel/index.ts'
import type { MatrixCell, StrategyMatrix } from '../../objectives/index.ts'
import { element, fitting, picture, textElement } from './svg.ts'

const cell = { width: 176, height: 74 }
const margin = { left: 110, top: 64, right: 16, bottom: 40 }

/** Dark enough under white, light enough under black text: from the dearest (index 0) to the cheapest. */
const fills = ['#b3cde3', '#ccebc5', '#decbe4', '#fed9a6', '#ffffcc', '#e5d8bd', '#fddaec', '#f2f2f2']

/** The matrix as a picture: RPO to the right, RTO downwards, the strictest at the top left. */
export function matrixSvg(matrix: StrategyMatrix): string {
  const width = margin.left + matrix.rpoMs.length * cell.width + margin.right
  const height = margin.top + matrix.rtoMs.length * cell.height + margin.bottom
  const names = [...new Set(matrix.rows.flat().flatMap(({ strategy }) => strategy?.name ?? []))]
  const columns = matrix.rpoMs.map((ms, index) =>
    textElement(`RPO ${formatDuration(ms)}`, { ...label, x: margin.left + (index + 0.5) * cell.width, y: margin.top - 12 }),
  )
  const rows = matrix.rtoMs.map((ms, index) =>
    textElement(`RTO ${formatDuration(ms)}`, {
      ...label,
      'text-anchor': 'end',
      x: margin.left - 10,
      y: margin.top + (index + 0.5) * cell.height + 4,
    }),
  )
  const cells = matrix.rows.flatMap((row, rto) =>
    row.map((entry, rpo) => cellSvg(entry, margin.left + rpo * cell.width, margin.top + rto * cell.height, names)),
  )
  const outside =
    matrix.outside.length === 0
      ? []
      : [
          textElement(fitting(`no strategy is strict enough for ${matrix.outside.join(', ')}`, width - 32, 13), {
            x: 16,
            y: height - 14,
            'font-size': 13,
            fill: '#a40000',
          }),
        ]
  const title = textElement('the cheapest strategy for each RPO and RTO', { x: 16, y: 26, 'font-size': 17, fill: '#222' })
  return picture(width, height, 'strategies by recovery point and recovery time objective', [
    element('rect', { width, height, fill: '#fff' }),
    title,
    ...columns,
    ...rows,
    ...cells,
    ...outside,
  ])
}

const label = { 'font-size': 13, fill: '#444', 'text-anchor': 'middle' }

function cellSvg({ strategy, services }: MatrixCell, x: number, y: number, names: readonly string[]): string {
  const fill = strategy === undefined ? '#fafafa' : fills[names.indexOf(strategy.name) % fills.length]
  const lines = services.length > 2 ? [services[0] ?? '', `and ${services.length - 1} more`] : services
  return element(
    'g',
    {},
    element('rect', { x, y, width: cell.width, height: cell.height, fill, stroke: '#fff', 'stroke-width': 2 }),
    textElement(strategy === undefined ? 'none' : fitting(strategy.title, cell.width - 16, 13), {
      x: x + 8,
      y: y + 20,
      'font-size': 13,
      'font-weight': 600,
      fill: strategy === undefined ? '#999' : '#222',
    }),
    ...lines.map((line, index) =>
      textElement(fitting(`● ${line}`, cell.width - 16, 12), { x: x + 8, y: y + 41 + index * 18, 'font-size': 12, fill: '#333' }),
    ),
  )
}
