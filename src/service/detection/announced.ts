import { maintenanceOfAll, outageCountsFrom, type Catalog, type Plan, type SharedMaintenance } from '../../catalog/index.ts'
import type { DetectionVerdict } from '../../detection/index.ts'

/** What was announced for the services of a plan. */
export interface Announced {
  /** A window that is open now for all of them, and that the outage, if there is one, fell into. */
  readonly maintenance?: SharedMaintenance
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
  // Before a quorum sees it, it is no outage, and falls into nothing.
  if (found.verdict !== 'down') {
    const maintenance = maintenanceOfAll(catalog, services, now)
    return maintenance === undefined ? {} : { maintenance }
  }
  const { from, window } = outageCountsFrom(catalog, services, { since: found.quorumSince, forMs, now })
  const excusedUntil = new Date(from.getTime() + forMs)
  if (window !== undefined) return { maintenance: window, excusedUntil }
  if (from.getTime() === found.quorumSince.getTime()) return {}
  return { countsFrom: from, ...(now < excusedUntil ? { excusedUntil } : {}) }
}
