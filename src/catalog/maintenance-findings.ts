import { formatDuration, tryParseDuration } from '../kernel/index.ts'
import type { CatalogSource } from './catalog-source.ts'
import type { TimeRange } from './chaos.ts'
import { serviceEnvironments } from './environment.ts'
import { isPlainMap, type Finding } from './finding.ts'
import { isCovered, type MaintenanceWindow } from './maintenance.ts'
import { present } from './present.ts'
import { maintenanceSchema } from './schema-maintenance.ts'
import { valueAt } from './structure.ts'
import { longestBreakMinutes } from './time-range.ts'

/**
 * Windows that come back and together leave a service no break in which an outage would count: nothing of it would ever be started, and nobody told. A
 * break must be longer than the hold time of each detection that watches over the service, which begins anew where a window ends.
 */
export function maintenanceFindings(catalog: unknown, source: CatalogSource): Finding[] {
  // What is wrong with the shape of it is reported by its schema.
  const { data } = maintenanceSchema.safeParse(valueAt(catalog, ['maintenance']))
  const services = valueAt(catalog, ['services'])
  if (data === undefined || !isPlainMap(services)) return []
  const windows = data.windows.flatMap(({ days, from, to, ...window }, index): Weekly[] =>
    from === undefined || to === undefined ? [] : [{ ...window, index, range: present({ days, from, to }) }],
  )
  const breaks = new Map<string, number>()
  const reported = new Set<number>()
  return Object.entries(services).flatMap(([name, service]): Finding[] => {
    const own = windows.filter((window) => isCovered(window, asCovered(name, service)))
    const last = own.at(-1)
    if (last === undefined || reported.has(last.index)) return []
    const key = own.map(({ index }) => index).join(' ')
    const breakMs = breaks.getOrInsertComputed(key, () => longestBreakMinutes(own.map(({ range }) => range))) * 60_000
    const { plan, forMs } = longestHold(catalog, name)
    if (breakMs > forMs) return []
    reported.add(last.index)
    const left = breakMs === 0 ? 'no break' : `no break of more than ${formatDuration(breakMs)}`
    const because = plan === undefined ? 'it' : `${plan} must see it down for ${formatDuration(forMs)}, and it`
    return [
      {
        code: 'wrong-value',
        offset: source.valueOffset(['maintenance', 'windows', last.index]),
        message: `the announced maintenance of ${name} (${own.map(({ title }) => title).join(', ')}) has ${left}: ${because} would never be an outage`,
        expected: 'windows that leave a longer break in the week',
        hint: 'leave out a day, or let one end earlier',
      },
    ]
  })
}

interface Weekly extends Pick<MaintenanceWindow, 'title' | 'services' | 'sites' | 'environments'> {
  /** In the file. */
  readonly index: number
  readonly range: TimeRange
}

/** As far as it is readable. */
function asCovered(name: string, service: unknown): Parameters<typeof isCovered>[1] {
  const [site, environment] = [valueAt(service, ['site']), valueAt(service, ['environment'])]
  return present({
    name,
    site: typeof site === 'string' ? site : '',
    environment: serviceEnvironments.find((known) => known === environment),
  })
}

/** Of the plans that are watched for and recover a service, the one that must see it down for the longest time. */
function longestHold(catalog: unknown, service: string): { readonly plan?: string; readonly forMs: number } {
  const plans = valueAt(catalog, ['plans'])
  let longest: { readonly plan?: string; readonly forMs: number } = { forMs: 0 }
  for (const [plan, entry] of Object.entries(isPlainMap(plans) ? plans : {})) {
    const [recovers, holds] = [valueAt(entry, ['recovers']), valueAt(entry, ['detection', 'for'])]
    const forMs = typeof holds === 'string' ? (tryParseDuration(holds) ?? 0) : 0
    if (Array.isArray(recovers) && recovers.includes(service) && forMs > longest.forMs) longest = { plan, forMs }
  }
  return longest
}
