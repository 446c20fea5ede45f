import type { TimeRange } from './chaos.ts'
import { environmentOf, type ServiceEnvironment } from './environment.ts'
import { isWithin, wallClock } from './time-range.ts'
import type { Catalog, Service } from './types.ts'

/** A time that was announced, in which some services may be down. */
export interface MaintenanceWindow {
  readonly title: string
  /** Which services: these, those at these sites, and those in these environments. */
  readonly services: readonly string[]
  readonly sites: readonly string[]
  readonly environments: readonly ServiceEnvironment[]
  readonly when:
    | { readonly kind: 'weekly'; readonly range: TimeRange }
    | { readonly kind: 'once'; readonly from: Date; readonly to: Date }
}

export interface Maintenance {
  /** Of weekly ones, as the IANA database calls it. */
  readonly timeZone: string
  readonly windows: readonly MaintenanceWindow[]
}

/** A window that a moment lies in. */
export interface OpenMaintenance {
  readonly title: string
  readonly since: Date
  readonly until: Date
}

const minuteMs = 60_000
/** None lasts longer: one that never ends is refused, and one of six whole days may be an hour longer or so by its clock. */
const mostMs = 8 * 86_400_000

export function isCovered(
  { services, sites, environments }: Pick<MaintenanceWindow, 'services' | 'sites' | 'environments'>,
  service: Pick<Service, 'name' | 'site' | 'environment'>,
): boolean {
  return services.includes(service.name) || sites.includes(service.site) || environments.includes(environmentOf(service))
}

/** The announced windows that a moment lies in, of which each service asks for its own: of several the one that ends last. */
export function maintenanceAt(
  { maintenance: { timeZone, windows } }: Pick<Catalog, 'maintenance'>,
  at: Date,
): (service: Service) => OpenMaintenance | undefined {
  const open = windows.flatMap((window) => {
    const times = openTimes(window, timeZone, at)
    return times === undefined ? [] : [{ window, open: { title: window.title, ...times } }]
  })
  return (service) => {
    const own = open.filter(({ window }) => isCovered(window, service))
    return own.toSorted((a, b) => b.open.until.getTime() - a.open.until.getTime())[0]?.open
  }
}

function openTimes({ when }: MaintenanceWindow, timeZone: string, at: Date): Omit<OpenMaintenance, 'title'> | undefined {
  if (when.kind === 'once') return when.from <= at && at < when.to ? { since: when.from, until: when.to } : undefined
  const clock = wallClock(timeZone)
  const holds = (ms: number) => isWithin(when.range, clock(new Date(ms)))
  const now = Math.floor(at.getTime() / minuteMs) * minuteMs
  if (!holds(now)) return undefined
  let [since, until] = [now, now + minuteMs]
  while (now - since < mostMs && holds(since - minuteMs)) since -= minuteMs
  while (until - now < mostMs && holds(until)) until += minuteMs
  return { since: new Date(since), until: new Date(until) }
}

/** A window that several services are in, by the one of them that leaves it first. */
export interface SharedMaintenance extends OpenMaintenance {
  readonly service: string
}

/** What each of these services is in at a moment: of their windows the one that ends first, for from then on not all are in one. Undefined where one is in none. */
export function maintenanceOfAll(
  catalog: Pick<Catalog, 'maintenance'>,
  services: readonly Service[],
  at: Date,
): SharedMaintenance | undefined {
  const open = maintenanceAt(catalog, at)
  const own = services.flatMap((service): SharedMaintenance[] => {
    const window = open(service)
    return window === undefined ? [] : [{ ...window, service: service.name }]
  })
  return own.length < services.length ? undefined : own.toSorted((a, b) => a.until.getTime() - b.until.getTime())[0]
}

/**
 * From when an outage of these services counts: from the end of the windows of all of them that it fell into, else from its beginning. It fell into one that it began
 * in, or that was open before it had held for `forMs`: one that was an outage before excuses nothing. `window`: the one it is in still; `from` is its end then.
 */
export function outageCountsFrom(
  catalog: Pick<Catalog, 'maintenance'>,
  services: readonly Service[],
  { since, forMs, now }: { readonly since: Date; readonly forMs: number; readonly now: Date },
): { readonly from: Date; readonly window?: SharedMaintenance } {
  for (let from = since; ;) {
    const window = firstOfAll(catalog, services, from, new Date(Math.min(from.getTime() + forMs, now.getTime())))
    if (window === undefined) return { from }
    from = window.until
    if (from > now) return { from, window }
  }
}

/** The first window of all of them that is open at some time from one moment to another. */
function firstOfAll(
  catalog: Pick<Catalog, 'maintenance'>,
  services: readonly Service[],
  from: Date,
  to: Date,
): SharedMaintenance | undefined {
  for (const at of openings(catalog.maintenance, from.getTime(), to.getTime())) {
    const window = maintenanceOfAll(catalog, services, new Date(at))
    if (window !== undefined) return window
  }
  return undefined
}

/** When a window may open from one moment to another, rising: at once, at each whole minute, and where one begins that comes once. */
function openings({ windows }: Maintenance, from: number, to: number): number[] {
  const first = Math.floor(from / minuteMs) * minuteMs + minuteMs
  const minutes = Array.from(
    { length: Math.max(0, Math.floor((to - first) / minuteMs) + 1) },
    (_, index) => first + index * minuteMs,
  )
  const weekly = windows.some(({ when }) => when.kind === 'weekly') ? minutes : []
  const once = windows.flatMap(({ when }) => (when.kind === 'once' ? [when.from.getTime()] : []))
  return [from, ...[...weekly, ...once].filter((at) => from < at && at <= to).toSorted((a, b) => a - b)]
}
