import type { TimeRange } from './chaos.ts'
import { environmentOf, type ServiceEnvironment } from './environment.ts'
import { isWithin, minutesLong, wallClock } from './time-range.ts'
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

export function isCovered({ services, sites, environments }: MaintenanceWindow, service: Service): boolean {
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
  // One that begins when it ends goes on for ever: a turn of it is told.
  const most = minutesLong(when.range) * minuteMs
  let [since, until] = [now, now + minuteMs]
  while (now - since < most && holds(since - minuteMs)) since -= minuteMs
  while (until - now < most && holds(until)) until += minuteMs
  return { since: new Date(since), until: new Date(until) }
}

/**
 * From when an outage counts that began at `since`: from the end of the window that it began in, since that time was announced. Undefined while a window is open that
 * it began in, or that has followed upon that.
 */
export function outageCountsFrom(
  catalog: Pick<Catalog, 'maintenance'>,
  services: readonly Service[],
  { since, now }: { readonly since: Date; readonly now: Date },
): Date | undefined {
  const open = services.flatMap((service) => maintenanceAt(catalog, since)(service) ?? [])
  if (open.length === 0) return since
  const until = new Date(Math.max(...open.map((each) => each.until.getTime())))
  return until > now ? undefined : outageCountsFrom(catalog, services, { since: until, now })
}
