import type { Snapshot } from '../../repository/index.ts'
import { hasTags } from './policy.ts'

/** Which snapshots rules are applied to, as restic's filters: whatever is given must hold. */
export interface Selection {
  /** Any of them. */
  readonly hosts?: readonly string[]
  /** All tags of any of these lists. */
  readonly tags?: readonly (readonly string[])[]
  /** All of them are among the snapshot's paths. */
  readonly paths?: readonly string[]
}

export function isSelected(snapshot: Snapshot, { hosts = [], tags = [], paths = [] }: Selection): boolean {
  if (hosts.length > 0 && !hosts.includes(snapshot.hostname ?? '')) return false
  if (tags.length > 0 && !tags.some((list) => hasTags(snapshot.tags ?? [], list))) return false
  return paths.every((path) => snapshot.paths.includes(path))
}

export function selectsAll({ hosts = [], tags = [], paths = [] }: Selection): boolean {
  return hosts.length === 0 && tags.length === 0 && paths.length === 0
}
