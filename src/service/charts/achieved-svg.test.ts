import { expect, test } from 'vitest'
import { achievedSvg } from './achieved-svg.ts'

test('a missed objective is told from one that was kept without colours', () => {
  const shapes = (share?: number) => {
    const row = { label: 'db', text: '', ...(share === undefined ? {} : { share }) }
    return (
      achievedSvg('RPO', [row])
        .replaceAll(/#[0-9a-f]{3,6}/g, '')
        .match(/<(?:rect|path) [^>]*>/g)
        ?.slice(1) ?? []
    )
  }
  const [kept, missed, unknown] = [shapes(0.5), shapes(1.5), shapes()]
  expect(kept.join('')).not.toContain('<path')
  expect(missed.join('')).toMatch(/<path d="M\d+ \d+v16M/)
  expect(unknown.join('')).toContain('stroke-dasharray')
})
