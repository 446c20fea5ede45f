import type { HoldfastError } from '../../kernel/index.ts'
import { describesSameState, plaintextBytes } from '../../repository/index.ts'
import type { BlobIndex, CopierOptions, Repository, Snapshot } from '../../repository/index.ts'
import { withSharedLock } from '../with-lock.ts'
import { copyReporter, type CopyProgress } from './copy-progress.ts'
import { moveBlobs } from './move-blobs.ts'
import { planCopy, type CopyPlan } from './plan-copy.ts'
import { isComplete } from './is-complete.ts'

/** Snapshots are made known as soon as so much is across, as stored: what an interruption leaves is whole, and not moved again. */
const batchBytes = 1024 ** 3

export interface CopyJob {
  readonly from: Repository
  readonly to: Repository
  /** Of `from`. The newest are copied first. */
  readonly snapshots: readonly Snapshot[]
  /** Look what would be moved, and move nothing. */
  readonly dryRun?: boolean
  readonly copier?: CopierOptions
}

export interface CopiedSnapshot {
  /** In the destination; absent after a dry run. */
  readonly snapshot?: string
  /** In the source. */
  readonly source: Snapshot
}

export interface CopySummary {
  readonly from: string
  readonly to: string
  readonly copied: readonly CopiedSnapshot[]
  /** Snapshots of the source that the destination has, and as which. */
  readonly alreadyThere: readonly { readonly snapshot: string; readonly source: Snapshot }[]
  /** Snapshots that are damaged in the source. */
  readonly failed: readonly { readonly source: Snapshot; readonly error: HoldfastError }[]
  readonly dataBlobs: number
  readonly treeBlobs: number
  /** Of the plaintext, and as stored. After a dry run, what would be stored. */
  readonly copiedBytes: number
  readonly storedBytes: number
  /** Whether both cut content alike: otherwise what is backed up to both is stored twice in the destination. */
  readonly sameChunker: boolean
  readonly durationMs: number
}

/**
 * Copies snapshots with all that they need, what the destination has already excepted. Content is sealed anew, neither cut nor compressed
 * again. As in restic, a copy names in `original` the snapshot it was first made from and has no parent, and a snapshot of which the
 * destination has a copy is not copied again.
 *
 * Both repositories are locked against pruning. Each snapshot is written when all that it needs is durable and indexed: interrupted at any
 * moment, the next run goes on from there. Damage in the source fails the snapshots that need what is damaged, not the others.
 */
export async function copySnapshots(
  job: CopyJob,
  progress: (event: CopyProgress) => void,
  signal: AbortSignal,
): Promise<CopySummary> {
  return withSharedLock(job.from, signal, (readable) =>
    withSharedLock(job.to, readable, async (both, lock) => copy(job, { progress, confirm: () => lock.confirm() }, both)),
  )
}

interface Tools {
  readonly progress: (event: CopyProgress) => void
  /** Throws when the destination's lock is lost. */
  readonly confirm: () => Promise<void>
}

async function copy({ from, to, dryRun = false, ...job }: CopyJob, tools: Tools, signal: AbortSignal): Promise<CopySummary> {
  const startMs = performance.now()
  // Snapshots first, then the index: whatever a copy there names was indexed before.
  const { missing, alreadyThere } = sort(job.snapshots, await to.snapshots(signal, () => {}))
  await from.refreshIndex(signal)
  const index = await to.refreshIndex(signal)
  // What is not there must not be taken for stored.
  await to.setAsideLostPacks(signal)
  const report = copyReporter(missing.length, tools.progress)
  const plan = await planCopy(from, index, missing, signal, report.planned)
  const outcome = dryRun
    ? wouldCopy(plan, await from.loadIndex(signal))
    : await execute(plan, { from, to, index, report, confirm: tools.confirm, ...(job.copier && { options: job.copier }) }, signal)
  return {
    from: from.location,
    to: to.location,
    alreadyThere,
    ...outcome,
    failed: [...plan.failed.map(({ snapshot, error }) => ({ source: snapshot, error })), ...outcome.failed],
    sameChunker: from.config.chunkerPolynomial === to.config.chunkerPolynomial,
    durationMs: performance.now() - startMs,
  }
}

/** As restic tells them apart: a copy has the same `original`, or is the very snapshot, and says the same. */
function sort(snapshots: readonly Snapshot[], there: readonly Snapshot[]) {
  const byOrigin = new Map<string, Snapshot[]>()
  for (const snapshot of there)
    for (const id of new Set([snapshot.id, snapshot.original ?? snapshot.id]))
      byOrigin.set(id, [...(byOrigin.get(id) ?? []), snapshot])
  const missing: Snapshot[] = []
  const alreadyThere: CopySummary['alreadyThere'][number][] = []
  for (const source of snapshots.toSorted((a, b) => b.timeMs - a.timeMs)) {
    const candidates = byOrigin.get(source.original ?? source.id) ?? []
    const copy = candidates.find((candidate) => describesSameState(candidate, source))
    if (copy === undefined) missing.push(source)
    else alreadyThere.push({ snapshot: copy.id, source })
  }
  return { missing, alreadyThere }
}

type Outcome = Pick<CopySummary, 'copied' | 'failed' | 'dataBlobs' | 'treeBlobs' | 'copiedBytes' | 'storedBytes'>

function wouldCopy({ snapshots, blobs }: CopyPlan, source: BlobIndex): Outcome {
  const totals = { dataBlobs: 0, treeBlobs: 0, copiedBytes: 0, storedBytes: 0 }
  for (const position of blobs.slice(0, blobs.length)) {
    const place = source.at(position)
    if (place === undefined) continue
    totals[place.type === 'data' ? 'dataBlobs' : 'treeBlobs']++
    totals.copiedBytes += plaintextBytes(place)
    totals.storedBytes += place.length
  }
  return { copied: snapshots.map(({ snapshot }) => ({ source: snapshot })), failed: [], ...totals }
}

interface Execution {
  readonly from: Repository
  readonly to: Repository
  /** The destination's. */
  readonly index: BlobIndex
  readonly report: ReturnType<typeof copyReporter>
  readonly confirm: () => Promise<void>
  readonly options?: CopierOptions
}

async function execute(
  plan: CopyPlan,
  { from, to, index, report, confirm, options }: Execution,
  signal: AbortSignal,
): Promise<Outcome> {
  const copied: CopiedSnapshot[] = []
  const failed: CopySummary['failed'][number][] = []
  const lost = new Map<string, HoldfastError>()
  if (plan.snapshots.length === 0) return { copied, failed, dataBlobs: 0, treeBlobs: 0, copiedBytes: 0, storedBytes: 0 }
  await using copier = await to.createCopier(from, options)
  const source = await from.loadIndex(signal)
  report.begin(plan.storedBytes)
  for (const { snapshots, positions } of batches(plan, source)) {
    const move = { copier, index: source, positions, onBytes: report.bytes }
    for (const [blob, error] of await moveBlobs(move, signal)) lost.set(blob, error)
    await copier.flush(signal)
    for (const snapshot of snapshots) {
      const error = lost.size === 0 ? undefined : await isComplete(from, index, snapshot, lost, signal)
      if (error !== undefined) {
        failed.push({ source: snapshot, error })
        continue
      }
      // Without the lock, somebody may have deleted as unused what the snapshot is to name.
      await confirm()
      const changes = { parent: null, original: snapshot.original ?? snapshot.id }
      copied.push({ snapshot: (await to.rewriteSnapshot(snapshot, changes, signal)).id, source: snapshot })
      report.snapshot()
    }
  }
  report.end()
  return { copied, failed, ...copier.totals() }
}

function* batches({ snapshots, blobs }: CopyPlan, source: BlobIndex) {
  let [start, bytes] = [0, 0]
  let batch: Snapshot[] = []
  for (const [at, { snapshot, end }] of snapshots.entries()) {
    batch.push(snapshot)
    const before = snapshots[at - 1]?.end ?? 0
    for (const position of blobs.slice(before, end)) bytes += source.at(position)?.length ?? 0
    if (bytes < batchBytes && at < snapshots.length - 1) continue
    yield { snapshots: batch, positions: blobs.slice(start, end) }
    ;[start, bytes, batch] = [end, 0, []]
  }
}
