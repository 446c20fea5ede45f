import { parseDuration } from '../kernel/index.ts'
import type { strategySchema } from './schema-strategy.ts'
import type { z } from 'zod'

/** A way to be ready for a disaster: what it promises, and what it costs to have it. */
export interface Strategy {
  readonly name: string
  readonly title: string
  readonly description?: string
  readonly rpoMs: number
  readonly rtoMs: number
  /** In the catalog's currency. */
  readonly costPerMonth: number
}

const minute = 60_000

/**
 * The usual ladder of strategies, from the cheapest up. The figures are orders of magnitude of one mid-sized service in a cloud, not
 * measurements: a catalog states its own.
 */
export const defaultStrategies: readonly Strategy[] = [
  {
    name: 'backup-and-restore',
    title: 'backup and restore',
    description: 'nothing runs elsewhere: servers are made and data is restored when they are needed',
    rpoMs: 1440 * minute,
    rtoMs: 1440 * minute,
    costPerMonth: 500,
  },
  {
    name: 'cold-standby',
    title: 'cold standby',
    description: 'servers exist elsewhere and are off; data is restored to them',
    rpoMs: 240 * minute,
    rtoMs: 480 * minute,
    costPerMonth: 1000,
  },
  {
    name: 'pilot-light',
    title: 'pilot light',
    description: 'data is replicated elsewhere; the rest is off until it is needed',
    rpoMs: 60 * minute,
    rtoMs: 120 * minute,
    costPerMonth: 3000,
  },
  {
    name: 'warm-standby',
    title: 'warm standby',
    description: 'all of it runs elsewhere, smaller, and grows when it takes over',
    rpoMs: 15 * minute,
    rtoMs: 60 * minute,
    costPerMonth: 8000,
  },
  {
    name: 'hot-standby',
    title: 'hot standby',
    description: 'all of it runs elsewhere in full size, and waits',
    rpoMs: 5 * minute,
    rtoMs: 5 * minute,
    costPerMonth: 20_000,
  },
  {
    name: 'multi-region-active',
    title: 'multi-region active',
    description: 'several sites serve at once; losing one is losing capacity',
    rpoMs: 0,
    rtoMs: minute,
    costPerMonth: 50_000,
  },
]

type StrategyFile = z.output<typeof strategySchema>

/** The usual strategies with what the catalog says of them, and its own; the cheapest first. */
export function buildStrategies(file: Readonly<Record<string, StrategyFile>>): Strategy[] {
  const names = new Set([...defaultStrategies.map(({ name }) => name), ...Object.keys(file)])
  return [...names]
    .flatMap((name): Strategy[] => {
      const usual = defaultStrategies.find((strategy) => strategy.name === name)
      const { rpo, rto, costPerMonth, available, ...words } = file[name] ?? { available: true }
      if (!available) return []
      return [
        {
          name,
          title: name,
          ...usual,
          ...Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined)),
          rpoMs: rpo === undefined ? (usual?.rpoMs ?? 0) : parseDuration(rpo),
          rtoMs: rto === undefined ? (usual?.rtoMs ?? 0) : parseDuration(rto),
          costPerMonth: costPerMonth ?? usual?.costPerMonth ?? 0,
        },
      ]
    })
    .toSorted((a, b) => a.costPerMonth - b.costPerMonth || a.rtoMs - b.rtoMs || a.rpoMs - b.rpoMs)
}
