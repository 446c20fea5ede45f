import type { ServiceCost } from '../strategy/cost.ts'
import { element, fitting, picture, textElement } from './svg.ts'

const bar = { height: 22, gap: 14, left: 190, width: 460 }
const colours = { having: '#3b6ea5', losing: '#e08a3c' }

/** What each strategy costs a service in a year: having it, and what is expected to be lost in spite of it. */
export function costSvg(cost: ServiceCost): string {
  const most = Math.max(1, ...cost.strategies.map(({ totalPerYear }) => totalPerYear))
  const width = bar.left + bar.width + 150
  const height = 96 + cost.strategies.length * (bar.height + bar.gap)
  const scaled = (value: number) => (value / most) * bar.width
  const bars = cost.strategies.map(({ strategy, costPerYear, loss, totalPerYear, meetsObjectives }, index) => {
    const y = 84 + index * (bar.height + bar.gap)
    return element(
      'g',
      { opacity: meetsObjectives ? 1 : 0.55 },
      textElement(fitting(strategy.title, bar.left - 24, 13), {
        x: bar.left - 10,
        y: y + 15,
        'text-anchor': 'end',
        'font-size': 13,
        fill: '#222',
        ...(strategy.name === cost.cheapestInAll ? { 'font-weight': 700 } : {}),
      }),
      element('rect', { x: bar.left, y, width: scaled(costPerYear), height: bar.height, fill: colours.having }),
      element('rect', {
        x: bar.left + scaled(costPerYear),
        y,
        width: scaled(loss.expected),
        height: bar.height,
        fill: colours.losing,
      }),
      textElement(`${amount(totalPerYear)}${meetsObjectives ? '' : ' (misses)'}`, {
        x: bar.left + scaled(totalPerYear) + 8,
        y: y + 15,
        'font-size': 12,
        fill: '#444',
      }),
    )
  })
  return picture(width, height, `what strategies cost ${cost.service} in a year`, [
    element('rect', { width, height, fill: '#fff' }),
    textElement(fitting(`${cost.service}: ${cost.currency} a year, by strategy`, width - 32, 17), {
      x: 16,
      y: 28,
      'font-size': 17,
      fill: '#222',
    }),
    ...legend('having it', colours.having, 16),
    ...legend('expected loss', colours.losing, 120),
    ...bars,
  ])
}

function legend(text: string, fill: string, x: number): string[] {
  return [
    element('rect', { x, y: 46, width: 12, height: 12, fill }),
    textElement(text, { x: x + 18, y: 57, 'font-size': 12, fill: '#444' }),
  ]
}

/** `12,345`: whole units are enough here. */
export function amount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
