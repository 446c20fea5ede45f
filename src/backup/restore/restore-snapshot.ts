import { linkSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { HoldfastError, messageOf, systemCode } from '../../kernel/index.ts'
import type { Repository, Snapshot } from '../../repository/index.ts'
import { loadPosix, type Posix } from '../posix.ts'
import type { Skipped } from '../source.ts'
import { choosesAll, createChooser, type EntryPatterns } from './choose-entries.ts'
import { writeContent } from './content.ts'
import { TargetDirectories, throughLink } from './directories.ts'
import { isSameFile, sortOutExisting, type OverwriteMode } from './existing.ts'
import { findExtra, removeExtra } from './extra-entries.ts'
import { applyMetadata, type OnLoss } from './metadata.ts'
import { planRestore, type PlannedFile, type RestorePlan } from './plan.ts'
import { restoreReporter, type RestoreProgress } from './restore-progress.ts'
import { makeSpecial } from './specials.ts'
import { withSharedLock } from '../with-lock.ts'
import { findSubtree } from './subtree.ts'
import { prepareTarget } from './target.ts'
import { dryRunSummary, type RestoreSummary } from './restore-summary.ts'
import { targetError } from './target-error.ts'
import { verifyFiles } from './verify.ts'

export interface RestoreJob extends EntryPatterns {
  readonly repository: Repository
  readonly snapshot: Snapshot
  /** A directory that does not exist or is empty. */
  readonly target: string
  /** A directory in the snapshot whose contents go into the target; by default the snapshot's root. */
  readonly subtree?: string
  /** Restore into a directory that has something in it: what becomes of entries of the same name. True is `always`. */
  readonly overwrite?: boolean | OverwriteMode
  /** With `overwrite`: remove what the snapshot does not have from folders that are restored whole. */
  readonly deleteExtra?: boolean
  /** Look what would be written and removed, and do neither. */
  readonly dryRun?: boolean
  /** Leave out files whose content is damaged, instead of failing: they are in `skipped` then. */
  readonly skipDamaged?: boolean
  /** Read every restored file back and compare it with the snapshot's hashes. */
  readonly verify?: boolean
  /** Leave blocks of zeros out of new files, whatever they were stored as: holes take no room. Chunks of zeros alone are always left out. */
  readonly sparse?: boolean
  /** Threads that write, 0 for none but this one; by default as many as are worth it. */
  readonly threads?: number
  /** Take no lock: for a repository that cannot be written to, and that nobody prunes meanwhile. */
  readonly noLock?: boolean
}

/**
 * Brings a snapshot's files back: content, names of any bytes, owner (as root), extended attributes, times to the nanosecond, modes, hard
 * links, symbolic links, FIFOs and devices.
 *
 * Nothing is written through a symbolic link, and no name leads out of the target: `target-unsafe` otherwise. A restore that fails leaves
 * a target that was new or empty as it was, so that half a restore is never taken for a whole one. A damaged pack fails it with
 * `pack-damaged`, naming pack and file, unless `skipDamaged` is set.
 */
export async function restoreSnapshot(
  job: RestoreJob,
  progress: (event: RestoreProgress) => void,
  signal: AbortSignal,
): Promise<RestoreSummary> {
  if (job.noLock) return restore(job, progress, signal)
  return withSharedLock(job.repository, signal, (both) => restore(job, progress, both))
}

async function restore(
  job: RestoreJob,
  progress: (event: RestoreProgress) => void,
  signal: AbortSignal,
): Promise<RestoreSummary> {
  const startMs = performance.now()
  const { repository, snapshot, subtree = '' } = job
  const tree = await findSubtree(repository, snapshot, subtree, signal)
  const { target } = job
  const overwrite = job.overwrite === true ? 'always' : job.overwrite || undefined
  if (job.deleteExtra && overwrite === undefined)
    throw new HoldfastError('usage', {
      message: 'a new or empty directory has nothing to delete',
      hint: 'to delete what the snapshot does not have, give --overwrite too',
    })
  const prepared = await prepareTarget({ target, snapshot, subtree, overwrite: overwrite !== undefined })
  try {
    const choose = createChooser(job)
    const root = Buffer.from(prepared.path)
    const whole = await planRestore({ repository, tree, target: root, choose }, signal)
    if (!choosesAll(job)) refuseWhenNothingMatched(whole, job)
    using directories = new TargetDirectories(root)
    const existing = { mode: overwrite ?? 'always', directories, index: await repository.loadIndex(signal) }
    const { plan, unchanged, untouched } =
      overwrite === undefined ? { plan: whole, unchanged: [], untouched: 0 } : await sortOutExisting(whole, existing, signal)
    const search = { plan: whole, target: root, rootIsWhole: choosesAll(job), choose, directories }
    const extra = job.deleteExtra ? findExtra(search) : []
    const patched = plan.files.flatMap(({ kept }) => kept ?? [])
    const found = {
      unchangedFiles: unchanged.length,
      patchedFiles: patched.length,
      keptBytes: patched.reduce((sum, { bytes }) => sum + bytes, 0),
      untouched,
      deleted: extra.map((path) => path.toString()),
    }
    if (job.dryRun) {
      await prepared.undo()
      return dryRunSummary(plan, {
        snapshot: snapshot.id,
        target: prepared.path,
        ...found,
        durationMs: performance.now() - startMs,
      })
    }
    const restored = await execute(
      plan,
      { ...job, target: prepared.path, overwrite: overwrite !== undefined, unchanged, extra, directories },
      progress,
      signal,
    ).catch((error: unknown) => {
      throw targetError(error, directories)
    })
    return {
      snapshot: snapshot.id,
      target: prepared.path,
      ...found,
      ...restored,
      directories: plan.directories.length,
      durationMs: performance.now() - startMs,
    }
  } catch (error) {
    await prepared.undo()
    throw error
  }
}

interface Tools {
  readonly posix: Posix | undefined
  readonly directories: TargetDirectories
}

type Execution = Omit<RestoreJob, 'overwrite'> & {
  readonly directories: TargetDirectories
  readonly overwrite: boolean
  /** Files that only get their metadata. */
  readonly unchanged: readonly PlannedFile[]
  /** What is to be removed. */
  readonly extra: readonly Buffer[]
}

/** Directories, then content, then everything else, then the directories' metadata from the inside out: nothing written later changes it. */
async function execute(
  plan: RestorePlan,
  {
    repository,
    target,
    threads,
    overwrite,
    sparse = false,
    skipDamaged = false,
    verify = false,
    directories,
    unchanged,
    extra,
  }: Execution,
  progress: (event: RestoreProgress) => void,
  signal: AbortSignal,
): Promise<Pick<RestoreSummary, 'files' | 'verifiedFiles' | 'specials' | 'sizeBytes' | 'skipped'>> {
  const tools: Tools = { posix: loadPosix(), directories }
  const skipped: Skipped[] = []
  const onLoss: OnLoss = (path, reason) => void skipped.push({ path: path.toString(), reason })
  for (const { path } of plan.directories) makeDirectory(path, overwrite, directories)
  const damaged = new Set<PlannedFile>()
  const report = restoreReporter(plan, progress)
  let [files, sizeBytes] = [0, 0]
  await writeContent(
    {
      repository,
      files: plan.files,
      directories,
      target: Buffer.from(target),
      threads,
      sparse,
      onWritten: (temporary, file) => applyMetadata(temporary, file.node, tools, (_, reason) => onLoss(file.path, reason)),
      onRefused(file, reason) {
        damaged.add(file)
        onLoss(file.path, `it could not be made: ${reason}`)
      },
      onLoss: (file, reason) => onLoss(file.path, reason),
      onComplete({ kept }, size) {
        files++
        sizeBytes += size - (kept?.bytes ?? 0)
        report.file()
      },
      onBytes: (bytes) => report.bytes(bytes),
      onDamaged(file, error) {
        if (!skipDamaged) throw error
        damaged.add(file)
        onLoss(file.path, error.message)
      },
    },
    signal,
  )
  for (const { path, node } of unchanged) applyMetadata(path, node, tools, onLoss)
  for (const { path, to } of plan.hardLinks) {
    if (damaged.has(to)) {
      onLoss(path, `it is another name of ${to.path.toString()}, which was not restored`)
      continue
    }
    if (overwrite && isSameFile(path, to.path, directories)) {
      files++
      continue
    }
    if (overwrite) removeEntry(directories.at(path))
    linkSync(directories.at(to.path), directories.at(path))
    files++
  }
  const whole = plan.files.filter((file) => !damaged.has(file))
  const verifiedFiles = verify
    ? await verifyFiles([...whole, ...unchanged], { index: await repository.loadIndex(signal), directories }, signal)
    : 0
  const specials = await restoreSpecials(plan, { ...tools, overwrite, onLoss }, signal)
  removeExtra(extra, directories)
  for (const { path, node } of plan.directories.toReversed()) if (node !== undefined) applyMetadata(path, node, tools, onLoss)
  report.end()
  return { files, verifiedFiles, specials, sizeBytes, skipped }
}

async function restoreSpecials(
  plan: RestorePlan,
  { overwrite, onLoss, ...tools }: Tools & { overwrite: boolean; onLoss: OnLoss },
  signal: AbortSignal,
): Promise<number> {
  let made = 0
  for (const { path, node } of plan.specials) {
    signal.throwIfAborted()
    try {
      if (overwrite) removeEntry(tools.directories.at(path))
      await makeSpecial(path, node, tools, signal)
    } catch (error) {
      onLoss(path, `it could not be made: ${tools.directories.inWords(messageOf(error))}`)
      continue
    }
    applyMetadata(path, node, tools, onLoss)
    made++
  }
  return made
}

/** A directory that was there may be used again; a link to one may not. */
function makeDirectory(path: Buffer, overwrite: boolean, { at }: TargetDirectories): void {
  const here = at(path)
  try {
    mkdirSync(here, { mode: 0o700 })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !overwrite) throw error
    if (!lstatSync(here).isDirectory()) throw throughLink(path.toString())
  }
}

/** Fails for a directory: what is in it may be all there is of it. */
function removeEntry(path: Buffer): void {
  rmSync(path, { force: true })
}

function refuseWhenNothingMatched(plan: RestorePlan, { snapshot, include = [], iinclude = [] }: RestoreJob): void {
  if (plan.files.length + plan.hardLinks.length + plan.specials.length > 0) return
  if (plan.directories.some(({ node }) => node !== undefined)) return
  throw new HoldfastError('not-found', {
    message: `snapshot ${snapshot.id.slice(0, 8)} has nothing at ${[...include, ...iinclude].join(', ')}`,
    hint: 'see what it has with `holdfast ls`',
  })
}
