import { z } from 'zod'

/** How many connections to hold. */
export const amountParam = z
  .union([
    z.strictObject({ count: z.int().min(1).describe('That many.') }),
    z.strictObject({ leave: z.int().min(0).describe('All but that many of those that ordinary users may still open.') }),
    z.strictObject({
      percent: z.number().gt(0).max(100).describe('That share of those that ordinary users may still open, 0 to 100.'),
    }),
  ])
  .meta({ expected: '{ count: N }, { leave: N } or { percent: N }' })

export type Amount = z.infer<typeof amountParam>

/** Never more than are free. */
export function amountOf(amount: Amount, free: number): number {
  if ('count' in amount) return Math.min(amount.count, free)
  if ('leave' in amount) return Math.max(0, free - amount.leave)
  return Math.floor((free * amount.percent) / 100)
}

/** The name of the sessions, which says whose they are: 63 bytes at most, as PostgreSQL keeps them. */
export function sessionName(experiment: string, id: string): string {
  return `holdfast-${experiment.replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, 36)}-${id}`
}
