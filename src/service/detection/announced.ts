import { maintenanceOfAll, outageCountsFrom, type Catalog, type Plan, type SharedMaintenance } from '../../catalog/index.ts'
import type { DetectionVerdict } from '../../detection/index.ts'

/** What was announced for the services of a plan. */
export interface Announced {
  /** A window that is open now for all of them. `excuses` unless it is down, and was an outage before the window opened. */
  readonly maintenance?: SharedMaintenance & { readonly excuses: boolean }
  /** Where the outage fell into a window that has ended: from when it counts. The onset, from which the time to recover is measured, is when it began. */
  readonly countsFrom?: Date
  /** Until then nothing is started and nobody told: the end of the window, and the hold time, which begins anew there. */
  readonly excusedUntil?: Date
}

/** A window of some of the services only excuses nothing: which of them the symptoms are of, nobody knows. */
export function announcedFor(
  catalog: Catalog,
  { recovers }: Plan,
  found: DetectionVerdict,
  { forMs, now }: { readonly forMs: number; readonly now: Date },
): Announced {
  const services = recovers.flatMap((name) => catalog.services[name] ?? [])
  const open = maintenanceOfAll(catalog, services, now)
  // Before a quorum sees it, it is no outage, and falls into nothing.
  if (found.verdict !== 'down') return open === undefined ? {} : { maintenance: { ...open, excuses: true } }
  const { from, window } = outageCountsFrom(catalog, services, { since: found.quorumSince, forMs, now })
  const excusedUntil = new Date(from.getTime() + forMs)
  if (window !== undefined) return { maintenance: { ...window, excuses: true }, excusedUntil }
  return {
    ...(open === undefined ? {} : { maintenance: { ...open, excuses: false } }),
    ...(from.getTime() === found.quorumSince.getTime()
      ? {}
      : { countsFrom: from, ...(now < excusedUntil ? { excusedUntil } : {}) }),
  }
}
