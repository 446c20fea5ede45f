import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultStrategies } from '../../catalog/index.ts'
import { strategyMatrix } from './matrix.ts'
import { recommendStrategy } from './recommend.ts'

const minute = 60_000

test('a service stands in the cell that says what its own objectives take', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 3000 }), (rpo, rto) => {
      const service = { service: 'orders', rpoMs: rpo * minute, rtoMs: rto * minute }
      const matrix = strategyMatrix(defaultStrategies, [service])
      const cells = matrix.rows.flat().filter(({ services }) => services.includes('orders'))
      expect(cells.length + matrix.outside.length).toBe(1)
      expect(cells[0]?.strategy).toEqual(recommendStrategy(defaultStrategies, service).recommended)
    }),
  )
})

test('the strictest cell is dearest, the loosest the cheapest, and services of one cell stand in it by name', () => {
  const matrix = strategyMatrix(defaultStrategies, [
    { service: 'b', rpoMs: 20 * minute, rtoMs: 70 * minute },
    { service: 'a', rpoMs: 59 * minute, rtoMs: 60 * minute },
    { service: 'too-strict', rpoMs: 0, rtoMs: 1000 },
  ])
  expect(matrix.rows[0]?.[0]?.strategy?.name).toBe('multi-region-active')
  expect(matrix.rows.at(-1)?.at(-1)?.strategy?.name).toBe('backup-and-restore')
  expect(matrix.rows.flat().find(({ services }) => services.length > 0)).toMatchObject({
    services: ['a', 'b'],
    strategy: { name: 'warm-standby' },
  })
  expect(matrix.outside).toEqual(['too-strict'])
})
