import { z } from 'zod'

/** How many of those that fit are hit. */
export const choice = z
  .union([
    z.enum(['all', 'one']),
    z.strictObject({ count: z.int().min(1).describe('That many, chosen at random.') }),
    z.strictObject({
      percent: z.number().gt(0).max(100).describe('That share of them, 0 to 100, rounded up, chosen at random.'),
    }),
  ])
  .meta({ expected: "'all', 'one', { count: N } or { percent: N }" })

export type Choice = z.infer<typeof choice>

/** Fewer when there are not as many. */
export function choose<T>(from: readonly T[], how: Choice, random: () => number): T[] {
  const count = howMany(from.length, how)
  const left = [...from]
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)).flat()
}

export function howMany(available: number, how: Choice): number {
  if (how === 'all') return available
  if (how === 'one') return Math.min(1, available)
  return Math.min(available, 'count' in how ? how.count : Math.ceil((available * how.percent) / 100))
}
