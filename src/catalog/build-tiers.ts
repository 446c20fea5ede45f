import { parseDuration } from '../kernel/index.ts'
import type { DrillIntervals } from './build-drill.ts'
import type { CatalogFile } from './schema.ts'

type FileService = CatalogFile['services'][string]
type FileTier = CatalogFile['tiers'][string]

export function tierOf(file: Pick<CatalogFile, 'tiers'>, { tier }: Pick<FileService, 'tier'>): FileTier | undefined {
  return tier === undefined ? undefined : file.tiers[String(tier)]
}

/** How often a plan is drilled by the tiers of what it recovers: the most demanding of them says. */
export function drillsByTier(file: Pick<CatalogFile, 'tiers' | 'services'>, recovers: readonly string[]): DrillIntervals {
  const drills = recovers.flatMap((name) => {
    const service = file.services[name]
    return (service && tierOf(file, service)?.drill) ?? []
  })
  return {
    ...shortest(
      'every',
      drills.flatMap(({ every }) => every ?? []),
    ),
    ...shortest(
      'gameday',
      drills.flatMap(({ gameday }) => gameday ?? []),
    ),
  }
}

function shortest(name: keyof DrillIntervals, intervals: readonly string[]): DrillIntervals {
  const lengthOf = (interval: string) => (interval === 'never' ? Infinity : parseDuration(interval))
  const [first] = intervals.toSorted((a, b) => lengthOf(a) - lengthOf(b))
  return first === undefined ? {} : { [name]: first }
}
