import { HoldfastError } from '../kernel/index.ts'
import { describesSameState, type Repository, type Snapshot } from '../repository/index.ts'
import { withLock } from './with-lock.ts'

export interface TagJob {
  readonly repository: Repository
  readonly snapshots: readonly Snapshot[]
  /** These instead of all that there are; not with `add` or `remove`. Empty texts count for nothing. */
  readonly set?: readonly string[]
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
}

/** A snapshot cannot be changed, only replaced: its id is another one then. */
export interface Retagged {
  readonly before: Snapshot
  readonly after: Snapshot
}

/**
 * Gives snapshots other tags. Each is written anew, with everything else that it says and `original` naming the first of its kind, before
 * the old one is removed: interrupted, both are there, and the next run removes the old one. Those whose tags are right already stay.
 */
export async function tagSnapshots(
  { repository, snapshots, ...change }: TagJob,
  onDone: (retagged: Retagged) => Promise<void>,
  signal: AbortSignal,
): Promise<Retagged[]> {
  const { set, add = [], remove = [] } = change
  if ((set !== undefined) === (add.length > 0 || remove.length > 0))
    throw new HoldfastError('usage', {
      message: set === undefined ? 'it is not said what to do with the tags' : 'give either --set, or --add and --remove',
      hint: "--set a,b, or --add a and --remove b; --set '' takes all away",
    })
  return withLock(repository, 'exclusive', {}, signal, async (both, lock) => {
    const done: Retagged[] = []
    const there = await repository.snapshots(both, () => {})
    for (const before of snapshots) {
      const tags = newTags(before.tags ?? [], change)
      if (isSame(tags, before.tags ?? [])) continue
      const original = before.original ?? before.id
      const wanted = { ...before, tags }
      const left = there.find((other) => other.original === original && describesSameState(other, wanted))
      await lock.confirm()
      const after = left ?? (await repository.rewriteSnapshot(before, { tags, original }, both))
      await onDone({ before, after })
      await repository.forgetSnapshot(before.id, both)
      done.push({ before, after })
    }
    return done
  })
}

function newTags(tags: readonly string[], { set, add = [], remove = [] }: Omit<TagJob, 'repository' | 'snapshots'>): string[] {
  const named = (list: readonly string[]) => list.filter((tag) => tag !== '')
  if (set !== undefined) return [...new Set(named(set))]
  const taken = new Set(remove)
  return [...new Set([...tags, ...named(add)])].filter((tag) => !taken.has(tag))
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((tag, at) => tag === b[at])
}
