import { element, picture, textElement } from './svg.ts'

/** A stretch of time, and what happened in it. */
export interface ActivityColumn {
  readonly label: string
  readonly good: number
  readonly bad: number
}

const plot = { left: 46, top: 44, width: 640, height: 130 }

/** How often something was done, and how often it went wrong, column by column. */
export function activitySvg(title: string, columns: readonly ActivityColumn[]): string {
  const width = plot.left + plot.width + 24
  const height = plot.top + plot.height + 44
  const most = Math.max(1, ...columns.map(({ good, bad }) => good + bad))
  const step = plot.width / Math.max(1, columns.length)
  const tall = (count: number) => (count / most) * plot.height
  const bottom = plot.top + plot.height
  const every = Math.ceil(columns.length / 8)
  const bars = columns.flatMap(({ label, good, bad }, index) => {
    const at = { x: plot.left + index * step + step * 0.15, width: step * 0.7 }
    return [
      ...(good > 0 ? [element('rect', { ...at, y: bottom - tall(good), height: tall(good), fill: '#3b6ea5' })] : []),
      ...(bad > 0
        ? [
            element('rect', {
              ...at,
              y: bottom - tall(good + bad),
              height: tall(bad),
              fill: '#b3322b',
              stroke: '#000',
              'stroke-width': 0.5,
            }),
          ]
        : []),
      ...(index % every === 0
        ? [
            textElement(label, {
              x: plot.left + (index + 0.5) * step,
              y: bottom + 16,
              'text-anchor': 'middle',
              'font-size': 11,
              fill: '#444',
            }),
          ]
        : []),
    ]
  })
  return picture(width, height, title, [
    element('rect', { width, height, fill: '#fff' }),
    textElement(title, { x: 16, y: 24, 'font-size': 15, fill: '#222' }),
    textElement(String(most), { x: plot.left - 6, y: plot.top + 5, 'text-anchor': 'end', 'font-size': 11, fill: '#444' }),
    textElement('0', { x: plot.left - 6, y: bottom, 'text-anchor': 'end', 'font-size': 11, fill: '#444' }),
    element('line', { x1: plot.left, x2: plot.left + plot.width, y1: bottom, y2: bottom, stroke: '#000' }),
    ...bars,
    element('rect', { x: plot.left, y: bottom + 26, width: 10, height: 10, fill: '#3b6ea5' }),
    textElement('went well', { x: plot.left + 16, y: bottom + 35, 'font-size': 11, fill: '#444' }),
    element('rect', {
      x: plot.left + 100,
      y: bottom + 26,
      width: 10,
      height: 10,
      fill: '#b3322b',
      stroke: '#000',
      'stroke-width': 0.5,
    }),
    textElement('did not', { x: plot.left + 116, y: bottom + 35, 'font-size': 11, fill: '#444' }),
  ])
}
