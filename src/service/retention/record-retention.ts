import { formatSpan, type ForgetReport, type KeepRules, type PruneReport } from '../../backup/index.ts'
import type { Repository } from '../../repository/index.ts'
import { recordEvidence, type EvidenceContext } from '../record-evidence.ts'

export interface Retention {
  readonly repository: Repository
  /** For the record: its name in the catalog, or its location. */
  readonly name: string
  readonly context: EvidenceContext
}

/** Puts on record which snapshots rules removed, and why each; nothing when there was none, or only a dry run. */
export async function recordForgotten(
  { repository, name, context }: Retention,
  { dryRun, groups, removed, kept }: ForgetReport,
  rules: KeepRules,
  signal: AbortSignal,
): Promise<void> {
  if (dryRun || removed.length === 0) return
  const decisions = new Map(groups.flatMap(({ decisions }) => decisions.map((decision) => [decision.snapshot.id, decision])))
  const entries = removed.map((snapshot) => {
    const decision = decisions.get(snapshot)
    if (decision === undefined) return { snapshot, why: [] }
    const time = new Date(decision.snapshot.timeMs).toISOString()
    return { snapshot, time, why: decision.passedOver.map(({ rule, because }) => `${rule}: ${because}`) }
  })
  await recordEvidence(
    repository,
    'forget',
    { repository: name, rules: rulesText(rules), removed: entries, kept },
    context,
    signal,
  )
}

/** The same of those that were named. */
export async function recordForgottenNamed(
  { repository, name, context }: Retention,
  removed: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (removed.length === 0) return
  const entries = removed.map((snapshot) => ({ snapshot, why: ['named'] }))
  await recordEvidence(repository, 'forget', { repository: name, removed: entries }, context, signal)
}

/** Puts on record what a prune freed, unless it was a dry run. */
export async function recordPruned(
  { repository, name, context }: Retention,
  report: PruneReport,
  signal: AbortSignal,
): Promise<void> {
  if (report.dryRun) return
  const { snapshots, removedPacks, repackedPacks, lostPacks, freedBytes, unusedAfterBytes, durationMs } = report
  const body = {
    repository: name,
    snapshots,
    removedPacks: removedPacks.count,
    repackedPacks: repackedPacks.count,
    lostPacks: lostPacks.length,
    // Indexes that are written anew may take more than a prune of little frees.
    freedBytes: Math.max(0, Math.round(freedBytes)),
    unusedAfterBytes: Math.round(unusedAfterBytes),
    durationMs,
  }
  await recordEvidence(repository, 'prune', body, context, signal)
}

function rulesText({ counts = {}, within, withinPeriod = {}, tags = [] }: KeepRules): string[] {
  return [
    ...Object.entries(counts).flatMap(([rule, count]) =>
      count === 0 ? [] : [`${rule} ${count === Infinity ? 'unlimited' : count}`],
    ),
    ...(within === undefined ? [] : [`within ${formatSpan(within)}`]),
    ...Object.entries(withinPeriod).map(([period, span]) => `within-${period} ${formatSpan(span)}`),
    ...tags.map((list) => `tags ${list.join(',')}`),
  ]
}
