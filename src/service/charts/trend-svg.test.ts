import { expect, test } from 'vitest'
import { trendSvg } from './trend-svg.ts'

/** The sizes of the bars, the part above first, and how many of them are striped. */
function barsOf(rtaMs: number, rpaMs?: number) {
  const month = { month: '2026-01', runs: 1, failed: 0, proven: 1, rtaMs, ...(rpaMs === undefined ? {} : { rpaMs }) }
  const svg = trendSvg('db', [month], { rtoMs: 60_000, rpoMs: 60_000 })
  const bars = [...svg.matchAll(/<rect x="[\d.]+" y="[\d.]+" width="[\d.]+" height="([\d.]+)" [^>]*stroke="#000"/g)]
  return { heights: bars.map(([, height]) => Number(height)), striped: svg.match(/<path /g)?.length ?? 0 }
}

test('what took hardly any of its objective is still seen, what nobody measured has no bar, and what was missed is told without colours', () => {
  expect(barsOf(1, 30_000)).toEqual({ heights: [4, 16], striped: 0 })
  expect(barsOf(60_001)).toEqual({ heights: [expect.closeTo(32, 1)], striped: 1 })
})
