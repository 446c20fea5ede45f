import { linkSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { HoldfastError, messageOf, systemCode } from '../../kernel/index.ts'
import type { Repository, Snapshot } from '../../repository/index.ts'
import { loadPosix, type Posix } from '../posix.ts'
import type { Skipped } from '../source.ts'
import { writeContent } from './content.ts'
import { TargetDirectories, throughLink } from './directories.ts'
import { applyMetadata, type OnLoss } from './metadata.ts'
import { planRestore, type PlannedFile, type RestorePlan } from './plan.ts'
import { makeSpecial } from './specials.ts'
import { withSharedLock } from '../with-lock.ts'
import { findSubtree } from './subtree.ts'
import { prepareTarget } from './target.ts'
import { targetError } from './target-error.ts'
import { verifyFiles } from './verify.ts'

export interface RestoreJob {
  readonly repository: Repository
  readonly snapshot: Snapshot
  /** A directory that does not exist or is empty. */
  readonly target: string
  /** A directory in the snapshot whose contents go into the target; by default the snapshot's root. */
  readonly subtree?: string
  /** Paths under the root or `subtree`: only they and what is below them are restored, at their full paths. */
  readonly include?: readonly string[]
  /** Restore into a directory that has something in it, replacing entries of the same name. */
  readonly overwrite?: boolean
  /** Leave out files whose content is damaged, instead of failing: they are in `skipped` then. */
  readonly skipDamaged?: boolean
  /** Read every restored file back and compare it with the snapshot's hashes. */
  readonly verify?: boolean
  /** Threads that write, 0 for none but this one; by default as many as are worth it. */
  readonly threads?: number
  /** Take no lock: for a repository that cannot be written to, and that nobody prunes meanwhile. */
  readonly noLock?: boolean
}

export interface RestoreProgress {
  readonly type: 'restore'
  readonly filesDone: number
  readonly filesTotal: number
  readonly bytesDone: number
  readonly bytesTotal: number
  /** Milliseconds left, from the mean rate so far. */
  readonly etaMs?: number
}

export interface RestoreSummary {
  readonly snapshot: string
  readonly target: string
  /** Regular files restored, every blob of them verified against its hash before it was written; hard links count. */
  readonly files: number
  /** Files read back from the target and compared: with `verify`, all of them, each name of a hard link once. */
  readonly verifiedFiles: number
  readonly directories: number
  /** Symbolic links, FIFOs and devices. */
  readonly specials: number
  readonly sizeBytes: number
  readonly durationMs: number
  /** What was not restored, or not as it was, and why. */
  readonly skipped: readonly Skipped[]
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
  const { target, overwrite = false } = job
  const prepared = await prepareTarget({ target, snapshot, subtree, overwrite })
  try {
    const include = job.include?.map(insideTree)
    const plan = await planRestore({ repository, tree, target: Buffer.from(prepared.path), ...(include && { include }) }, signal)
    if (include !== undefined) refuseWhenNothingMatched(plan, job)
    using directories = new TargetDirectories(Buffer.from(prepared.path))
    const restored = await execute(plan, { ...job, target: prepared.path, directories }, progress, signal).catch(
      (error: unknown) => {
        throw targetError(error, directories)
      },
    )
    return {
      snapshot: snapshot.id,
      target: prepared.path,
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

/** Directories, then content, then everything else, then the directories' metadata from the inside out: nothing written later changes it. */
async function execute(
  plan: RestorePlan,
  {
    repository,
    target,
    threads,
    overwrite = false,
    skipDamaged = false,
    verify = false,
    directories,
  }: RestoreJob & { readonly directories: TargetDirectories },
  progress: (event: RestoreProgress) => void,
  signal: AbortSignal,
): Promise<Pick<RestoreSummary, 'files' | 'verifiedFiles' | 'specials' | 'sizeBytes' | 'skipped'>> {
  const tools: Tools = { posix: loadPosix(), directories }
  const skipped: Skipped[] = []
  const onLoss: OnLoss = (path, reason) => void skipped.push({ path: path.toString(), reason })
  for (const { path } of plan.directories) makeDirectory(path, overwrite, directories)
  const damaged = new Set<PlannedFile>()
  const report = reporter(plan, progress)
  let [files, sizeBytes] = [0, 0]
  await writeContent(
    {
      repository,
      files: plan.files,
      directories,
      target: Buffer.from(target),
      threads,
      onWritten: (temporary, file) => applyMetadata(temporary, file.node, tools, (_, reason) => onLoss(file.path, reason)),
      onRefused(file, reason) {
        damaged.add(file)
        onLoss(file.path, `it could not be made: ${reason}`)
      },
      onLoss: (file, reason) => onLoss(file.path, reason),
      onComplete(_, size) {
        files++
        sizeBytes += size
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
  for (const { path, to } of plan.hardLinks) {
    if (damaged.has(to)) {
      onLoss(path, `it is another name of ${to.path.toString()}, which was not restored`)
      continue
    }
    if (overwrite) removeEntry(directories.at(path))
    linkSync(directories.at(to.path), directories.at(path))
    files++
  }
  const whole = plan.files.filter((file) => !damaged.has(file))
  const verifiedFiles = verify ? verifyFiles(whole, { index: await repository.loadIndex(signal), directories }, signal) : 0
  const specials = await restoreSpecials(plan, { ...tools, overwrite, onLoss }, signal)
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

function reporter(plan: RestorePlan, progress: (event: RestoreProgress) => void) {
  const startMs = performance.now()
  let [filesDone, bytesDone, lastMs] = [0, 0, -Infinity]
  const report = () => {
    lastMs = performance.now()
    const etaMs = bytesDone > 0 ? ((plan.sizeBytes - bytesDone) * (lastMs - startMs)) / bytesDone : undefined
    const totals = { filesTotal: plan.files.length, bytesTotal: plan.sizeBytes }
    progress({ type: 'restore', filesDone, bytesDone, ...totals, ...(etaMs !== undefined && { etaMs }) })
  }
  const maybe = () => {
    if (performance.now() - lastMs >= 250) report()
  }
  return {
    file() {
      filesDone++
      maybe()
    },
    bytes(bytes: number) {
      bytesDone += bytes
      maybe()
    },
    end: report,
  }
}

/** As a path in a tree: `/a/b`, and '' for all of it. */
function insideTree(path: string): Buffer {
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  return Buffer.from(names.map((name) => `/${name}`).join(''))
}

function refuseWhenNothingMatched(plan: RestorePlan, { snapshot, include = [] }: RestoreJob): void {
  if (plan.files.length + plan.hardLinks.length + plan.specials.length > 0) return
  if (plan.directories.some(({ node }) => node !== undefined)) return
  throw new HoldfastError('not-found', {
    message: `snapshot ${snapshot.id.slice(0, 8)} has nothing at ${include.join(', ')}`,
    hint: 'see what it has with `holdfast ls`',
  })
}
