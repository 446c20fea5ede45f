import { prune } from '../prune/prune.ts'
import type { PruneProgress, PruneReport } from '../prune/report.ts'
import type { PruneOptions } from '../prune/request.ts'
import { forget, forgetNamed, type ForgetJob, type ForgetNamed, type ForgetReport } from './forget.ts'

/** How to prune once snapshots were removed. */
interface ThenPrune {
  readonly prune?: PruneOptions & { readonly allowRemoveAll?: boolean }
}

/** As forget; then, when snapshots were removed, as prune. A dry run counts them as gone. */
export async function forgetAndPrune(
  job: ForgetJob & ThenPrune,
  progress: (event: PruneProgress) => void,
  signal: AbortSignal,
): Promise<{ forgotten: ForgetReport; pruned?: PruneReport }> {
  const forgotten = await forget(job, signal)
  const pruned = await pruneAfter(job, forgotten.removed, progress, signal)
  return { forgotten, ...(pruned && { pruned }) }
}

/** As forgetNamed, then as forgetAndPrune. */
export async function forgetNamedAndPrune(
  job: ForgetNamed & ThenPrune,
  progress: (event: PruneProgress) => void,
  signal: AbortSignal,
): Promise<{ removed: readonly string[]; pruned?: PruneReport }> {
  const removed = await forgetNamed(job, signal)
  const pruned = await pruneAfter(job, removed, progress, signal)
  return { removed, ...(pruned && { pruned }) }
}

async function pruneAfter(
  { repository, prune: options, dryRun = false, retryLockMs }: ThenPrune & Omit<ForgetNamed, 'ids'>,
  removed: readonly string[],
  progress: (event: PruneProgress) => void,
  signal: AbortSignal,
): Promise<PruneReport | undefined> {
  if (options === undefined || removed.length === 0) return undefined
  const job = { repository, ...options, ...(retryLockMs !== undefined && { retryLockMs }) }
  return prune(dryRun ? { ...job, dryRun, without: removed } : job, progress, signal)
}
