import { HoldfastError, shortId } from '../../kernel/index.ts'
import { matchesFilter, uniqueId, type Repository, type Snapshot, type SnapshotFilter } from '../../repository/index.ts'
import { withLock } from '../with-lock.ts'
import { groupSnapshots, type GroupKey, type GroupName } from './group.ts'
import { applyPolicy, type Decision } from './policy.ts'
import { hasNoRule, type KeepRules } from './rules.ts'

export interface ForgetJob {
  readonly repository: Repository
  readonly rules: KeepRules
  /** Which snapshots rules are applied to. */
  readonly filter?: SnapshotFilter
  /** By default `host` and `paths`. */
  readonly groupBy?: readonly GroupKey[]
  /** With a filter and no rule: remove all that matches. */
  readonly allowRemoveAll?: boolean
  /** Decide, and remove nothing. */
  readonly dryRun?: boolean
  /** How long to wait for others that use the repository. */
  readonly retryLockMs?: number
}

export interface ForgetGroup {
  readonly name: GroupName
  /** The newest snapshot first. */
  readonly decisions: readonly Decision[]
}

/** What became of the snapshots, or would after a dry run. */
export interface ForgetReport {
  readonly dryRun: boolean
  readonly groups: readonly ForgetGroup[]
  /** Ids, in the order of time. */
  readonly removed: readonly string[]
  readonly kept: number
  /** Ids of snapshots dated in the future: kept, and an error. */
  readonly future: readonly string[]
  /** Snapshots that cannot be read, with the reason: kept, as nothing is known of them. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[]
}

/**
 * Removes the snapshots that no rule keeps, group by group; their data stays until `prune`. Everything is decided before anything is
 * removed. Throws `usage` when there is no rule, and `would-remove-all` when the rules would leave nothing of a group: a slip in a tag must
 * not cost the last copy.
 */
export async function forget(job: ForgetJob, signal: AbortSignal): Promise<ForgetReport> {
  const { repository, rules, filter = {}, groupBy = ['host', 'paths'], allowRemoveAll = false, dryRun = false } = job
  refuseNoRule(rules, filter, allowRemoveAll)
  const mayEmpty = allowRemoveAll && hasNoRule(rules)
  return withLock(repository, dryRun ? 'shared' : 'exclusive', lockOptions(job), signal, async (both) => {
    const unreadable: { id: string; reason: string }[] = []
    const all = await repository.snapshots(both, (id, { message: reason }) => unreadable.push({ id, reason }))
    const selected = all.filter((snapshot) => matchesFilter(snapshot, filter))
    const nowMs = Date.now()
    const groups = groupSnapshots(selected, groupBy).map(({ name, snapshots }): ForgetGroup => {
      const decisions = applyPolicy(snapshots, rules, nowMs)
      if (!mayEmpty && decisions.every(({ keep }) => !keep)) throw wouldRemoveAll(name, snapshots)
      return { name, decisions }
    })
    const decisions = groups.flatMap((group) => group.decisions)
    const removed = decisions
      .filter(({ keep }) => !keep)
      .map(({ snapshot }) => snapshot)
      .sort((a, b) => a.timeMs - b.timeMs)
      .map(({ id }) => id)
    if (!dryRun) await removeAll(repository, removed, both)
    const future = decisions.filter(({ reasons }) => reasons.some(({ rule }) => rule === 'future'))
    return {
      dryRun,
      groups,
      removed,
      kept: decisions.length - removed.length,
      future: future.map(({ snapshot }) => snapshot.id),
      unreadable,
    }
  })
}

export interface ForgetNamed {
  readonly repository: Repository
  /** Whole ids, their beginnings, or `latest`. Ones that cannot be read can be named too. */
  readonly ids: readonly string[]
  /** For `latest`. */
  readonly filter?: SnapshotFilter
  readonly dryRun?: boolean
  readonly retryLockMs?: number
}

/** Removes the snapshots named; all names are looked up before anything is removed. Throws `snapshot-not-found`, `snapshot-ambiguous`. Gives whole ids. */
export async function forgetNamed(job: ForgetNamed, signal: AbortSignal): Promise<string[]> {
  const { repository, ids, dryRun = false } = job
  return withLock(repository, dryRun ? 'shared' : 'exclusive', lockOptions(job), signal, async (both) => {
    const found = new Set<string>()
    for (const id of ids) found.add(await resolve(job, id, both))
    if (!dryRun) await removeAll(repository, [...found], both)
    return [...found]
  })
}

async function resolve({ repository, filter = {} }: ForgetNamed, id: string, signal: AbortSignal): Promise<string> {
  if (id === 'latest') return (await repository.findSnapshot(id, filter, signal)).id
  return uniqueId(await repository.snapshotIds(signal), id)
}

/** One after the other: after an interruption the rest is still there, and the command can be run again. */
async function removeAll(repository: Repository, ids: readonly string[], signal: AbortSignal): Promise<void> {
  for (const id of ids) {
    signal.throwIfAborted()
    await repository.forgetSnapshot(id, signal)
  }
}

function lockOptions({ retryLockMs }: { readonly retryLockMs?: number }) {
  return retryLockMs === undefined ? {} : { retryForMs: retryLockMs }
}

function refuseNoRule(rules: KeepRules, filter: SnapshotFilter, allowRemoveAll: boolean): void {
  if (!hasNoRule(rules)) return
  if (!allowRemoveAll)
    throw new HoldfastError('usage', {
      message: 'no rule says what is kept: every snapshot would be removed',
      hint: 'give rules such as --keep-daily 7 --keep-weekly 5, or the ids of the snapshots to remove',
    })
  if (Object.values(filter).every((part) => part === undefined || part.length === 0))
    throw new HoldfastError('usage', {
      message: 'without a rule and without a filter every snapshot of the repository would be removed',
      hint: 'say which with --host, --tag or --path',
    })
}

function wouldRemoveAll({ host, paths, tags }: GroupName, snapshots: readonly Snapshot[]): HoldfastError {
  const parts = [
    ...(host === undefined ? [] : [`host ${host}`]),
    ...(paths === undefined ? [] : [`paths ${paths.join(', ')}`]),
    ...(tags === undefined ? [] : [`tags ${tags.join(', ') || 'none'}`]),
  ]
  const which = parts.length === 0 ? '' : ` of ${parts.join(' and ')}`
  return new HoldfastError('would-remove-all', {
    message: `the rules keep none of the ${snapshots.length} snapshots${which}; nothing was removed`,
    hint: `add a rule that keeps some, such as --keep-last 1; single ones go with \`holdfast forget ${shortId(snapshots[0]?.id ?? '')}\``,
    details: { ...(host !== undefined && { host }), ...(paths && { paths }), ...(tags && { tags }) },
  })
}
