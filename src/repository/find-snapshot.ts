import { HoldfastError, shortId } from '../kernel/index.ts'
import type { Snapshot } from './snapshot.ts'

/** Which snapshots count. All conditions given must hold. */
export interface SnapshotFilter {
  readonly host?: string
  /** It is one of them; none for any. */
  readonly hosts?: readonly string[]
  /** All of them are among the snapshot's paths. */
  readonly paths?: readonly string[]
  /** All of them are among the snapshot's tags. */
  readonly tags?: readonly string[]
  /** All of at least one list are among the snapshot's tags; the list [''] is for snapshots without any. No list for any snapshot. */
  readonly tagLists?: readonly (readonly string[])[]
}

/** Clocks of two machines may differ by this much before a snapshot counts as dated in the future. */
export const clockToleranceMs = 10 * 60_000

export function matchesFilter(snapshot: Snapshot, filter: SnapshotFilter): boolean {
  const { host, hosts = [], paths = [], tags = [], tagLists = [] } = filter
  const { hostname = '' } = snapshot
  if ((host !== undefined && hostname !== host) || (hosts.length > 0 && !hosts.includes(hostname))) return false
  const own = new Set(snapshot.tags)
  const hasAll = (wanted: readonly string[]) => wanted.every((tag) => own.has(tag) || (tag === '' && own.size === 0))
  return paths.every((path) => snapshot.paths.includes(path)) && hasAll(tags) && (tagLists.length === 0 || tagLists.some(hasAll))
}

/** Dated by a clock that ran ahead: it would look newest for ever. */
export function isFutureDated(snapshot: Snapshot, nowMs: number): boolean {
  return snapshot.timeMs > nowMs + clockToleranceMs
}

/** The newest that matches; one dated in the future never is it. Undefined when there is none. */
export function newestSnapshot(snapshots: readonly Snapshot[], filter: SnapshotFilter, nowMs: number): Snapshot | undefined {
  return snapshots
    .filter((snapshot) => matchesFilter(snapshot, filter) && !isFutureDated(snapshot, nowMs))
    .reduce<Snapshot | undefined>(
      (newest, snapshot) => (newest && newest.timeMs > snapshot.timeMs ? newest : snapshot),
      undefined,
    )
}

/** The one id that begins with `prefix`. Throws `snapshot-not-found`, or `snapshot-ambiguous` with the ids it could be. */
export function uniqueId(ids: readonly string[], prefix: string): string {
  const found = /^[0-9a-f]+$/.test(prefix) ? ids.filter((id) => id.startsWith(prefix)) : []
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  if (found.length > 1)
    throw new HoldfastError('snapshot-ambiguous', {
      message: `'${prefix}' could be ${found.length} snapshots: ${found.slice(0, 5).map(shortId).join(', ')}`,
      hint: 'give more digits of the id',
      details: { candidates: found },
    })
  throw snapshotNotFound(`there is no snapshot '${prefix}'`)
}

export function snapshotNotFound(message: string): HoldfastError {
  return new HoldfastError('snapshot-not-found', { message, hint: '`holdfast snapshots` lists what the repository holds' })
}
