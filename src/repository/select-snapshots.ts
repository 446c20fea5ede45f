import type { HoldfastError } from '../kernel/index.ts'
import type { Repository } from './contract.ts'
import { matchesFilter, snapshotNotFound, type SnapshotFilter } from './find-snapshot.ts'
import type { Snapshot } from './snapshot.ts'

export interface SnapshotSelection {
  /** `latest` or beginnings of ids; none for all snapshots that match the filter. */
  readonly ids?: readonly string[]
  /** With ids it is for `latest` only, as in restic. */
  readonly filter?: SnapshotFilter
  /** Called for what cannot be read, instead of throwing; not with ids. */
  readonly onDamaged?: (id: string, error: HoldfastError) => void
}

/**
 * Which snapshots a command works on: those named, in that order and each once, or all that match, oldest first. Throws as
 * Repository.findSnapshot and Repository.snapshots, and `snapshot-not-found` when none matches.
 */
export async function selectSnapshots(
  repository: Repository,
  { ids = [], filter = {}, onDamaged }: SnapshotSelection,
  signal?: AbortSignal,
): Promise<Snapshot[]> {
  if (ids.length > 0) {
    const found = new Map<string, Snapshot>()
    for (const id of ids) {
      const snapshot = await repository.findSnapshot(id, filter, signal)
      found.set(snapshot.id, snapshot)
    }
    return [...found.values()]
  }
  const all = await repository.snapshots(signal, onDamaged)
  const matching = all.filter((snapshot) => matchesFilter(snapshot, filter))
  if (matching.length === 0) throw snapshotNotFound(`no snapshot in ${repository.location} matches`)
  return matching
}
