import type { Snapshot } from '../../repository/index.ts'

/** What snapshots must have in common to be one group, whose members stand for each other. */
export const groupKeys = ['host', 'paths', 'tags'] as const
export type GroupKey = (typeof groupKeys)[number]

/** The members are those that it was grouped by; lists are sorted. */
export interface GroupName {
  readonly host?: string
  readonly paths?: readonly string[]
  readonly tags?: readonly string[]
}

export interface SnapshotGroup {
  readonly name: GroupName
  readonly snapshots: readonly Snapshot[]
}

/** In the order of their names; without keys there is one group. */
export function groupSnapshots(snapshots: readonly Snapshot[], by: readonly GroupKey[]): SnapshotGroup[] {
  const groups = new Map<string, { name: GroupName; snapshots: Snapshot[] }>()
  for (const snapshot of snapshots) {
    const name: GroupName = {
      ...(by.includes('host') && { host: snapshot.hostname ?? '' }),
      ...(by.includes('paths') && { paths: snapshot.paths.toSorted() }),
      ...(by.includes('tags') && { tags: (snapshot.tags ?? []).toSorted() }),
    }
    const key = JSON.stringify(name)
    const group = groups.get(key) ?? { name, snapshots: [] }
    group.snapshots.push(snapshot)
    groups.set(key, group)
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}
