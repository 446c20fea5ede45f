import { barElements, leastSize } from './bar.ts'
import { element, fitting, picture, textElement } from './svg.ts'

export interface AchievedRow {
  readonly label: string
  /** How much of the objective was used: 1 is all of it. Absent: nobody knows. */
  readonly share?: number
  readonly text: string
}

const bar = { left: 190, width: 360, height: 16, gap: 10, top: 64 }
/** The objective is drawn here; what is beyond twice of it is cut, and says so by its figure. */
const objectiveAt = bar.left + bar.width / 2

/** What was achieved as a share of its objective, a bar each. What was missed is striped, and what nobody knows dashed: paper may have no colours. */
export function achievedSvg(title: string, rows: readonly AchievedRow[]): string {
  const width = bar.left + bar.width + 170
  const height = bar.top + rows.length * (bar.height + bar.gap) + 20
  const bars = rows.flatMap(({ label, share, text }, index) => {
    const y = bar.top + index * (bar.height + bar.gap)
    const wide = Math.min(2, share ?? 0) * (bar.width / 2)
    const missed = share !== undefined && share > 1
    return [
      textElement(fitting(label, bar.left - 20, 12), {
        x: bar.left - 8,
        y: y + 12,
        'text-anchor': 'end',
        'font-size': 12,
        fill: '#222',
      }),
      ...(share === undefined
        ? [
            element('rect', {
              x: bar.left,
              y,
              width: bar.width,
              height: bar.height,
              fill: 'none',
              stroke: '#666',
              'stroke-dasharray': '4 3',
            }),
          ]
        : barElements({ x: bar.left, y, width: Math.max(leastSize, wide), height: bar.height, missed })),
      textElement(text, { x: bar.left + bar.width + 8, y: y + 12, 'font-size': 12, fill: '#222' }),
    ]
  })
  return picture(width, height, title, [
    element('rect', { width, height, fill: '#fff' }),
    textElement(fitting(title, width - 32, 15), { x: 16, y: 24, 'font-size': 15, fill: '#222' }),
    textElement('objective', { x: objectiveAt, y: bar.top - 8, 'text-anchor': 'middle', 'font-size': 11, fill: '#444' }),
    ...bars,
    element('line', { x1: objectiveAt, x2: objectiveAt, y1: bar.top - 4, y2: height - 16, stroke: '#000', 'stroke-width': 1.5 }),
  ])
}
