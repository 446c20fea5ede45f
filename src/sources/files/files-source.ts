import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ArchiveContext, ArchivedTree, Source } from '../../backup/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import type { Snapshot } from '../../repository/index.ts'
import { workerEntry } from '../../threads/index.ts'
import { Archive, type ArchiveTools } from './archive.ts'
import { entryRules, openEntryRules, type EntryOptions } from './entry-rules.ts'
import type { MadeOfFile } from './file-nodes.ts'
import { unchangedContent, type ChangeDetection } from './node-reader.ts'
import { layOutTargets, type TargetNode } from './targets.ts'
import { lookForUnchanged, type Seen } from './unchanged/look-for-unchanged.ts'
import { count, type Census } from './walk.ts'

export interface FilesSourceOptions extends EntryOptions, ChangeDetection {
  /** Files and directories; relative ones count from the working directory. Those of bytes need not be UTF-8. */
  readonly paths: readonly (string | Buffer)[]
  readonly tags?: readonly string[]
  readonly workingDirectory?: string
}

const progressEveryMs = 250

/**
 * Files and directories with their metadata. Sockets are left out. What cannot be read is left out too, and reported as skipped; when
 * none of the paths exists, the archive throws `not-found`.
 */
export function createFilesSource(options: FilesSourceOptions): Source {
  const { paths, excludes = [], tags = [], workingDirectory = process.cwd() } = options
  if (paths.length === 0)
    throw new HoldfastError('usage', { message: 'nothing to back up', hint: 'name at least one file or directory' })
  return {
    kind: 'files',
    describe: () => ({
      // Sorted, as restic writes them: the order in which they were given does not matter to finding a parent.
      paths: [...new Set(paths.map((path) => resolve(workingDirectory, path.toString())))].toSorted(),
      tags,
      excludes,
    }),
    archive: (context, signal) => archiveFiles(context, { ...options, workingDirectory }, signal),
  }
}

async function archiveFiles(
  context: ArchiveContext,
  options: FilesSourceOptions & { readonly workingDirectory: string },
  signal: AbortSignal,
): Promise<ArchivedTree> {
  const root = layOutTargets(options.paths, options.workingDirectory)
  refuseWhenNothingIsThere(targetsOf(root))
  const targets = targetsOf(root)
  const rules = entryRules(options, targets)
  const [{ exclusions, nodes }, index] = await Promise.all([openEntryRules(rules), context.repository.loadIndex(signal)])
  const has = (blob: string) => index.has('data', blob)
  const saveFile = context.writer.fileSaver<MadeOfFile>({
    entry: workerEntry('../file-nodes-worker', import.meta.url),
    data: rules,
  })
  const unchanged: ArchiveTools['unchanged'] = (before, stat) => unchangedContent(before, stat, options)
  const seen = { files: 0, bytes: 0 }

  const ended = new AbortController()
  const census = censusOf(context.parent)
  const counting = census.complete
    ? undefined
    : count(targets, exclusions, census, AbortSignal.any([signal, ended.signal])).catch(() => {})
  let archive: Archive | undefined
  const report = reporter(context, () => archive?.progress, seen, census)
  const timer = setInterval(report, progressEveryMs)
  try {
    const directories = await lookForUnchanged(context, root, { rules, files: census.files, seen }, signal)
    archive = new Archive(context, { exclusions, nodes, saveFile, has, unchanged, directories }, signal)
    const saved = await archive.save(root)
    report()
    return saved
  } finally {
    clearInterval(timer)
    ended.abort()
    await counting
  }
}

/** What the last backup found is near enough to tell the time left, and saves looking at everything twice. */
function censusOf(parent: Snapshot | undefined): Census {
  const { total_files_processed: files, total_bytes_processed: bytes } = parent?.summary ?? {}
  if (typeof files !== 'number' || typeof bytes !== 'number') return { files: 0, bytes: 0, complete: false }
  return { files, bytes, complete: true }
}

/** `seen` is what was found to be unchanged before the archive begins, which then comes by it too. */
function reporter(
  { writer, progress }: ArchiveContext,
  archived: () => Archive['progress'] | undefined,
  seen: Seen,
  census: Census,
): () => void {
  const startMs = performance.now()
  const readBefore = writer.totals().bytesRead
  return () => {
    const { filesDone: filesArchived = 0, bytesUnread = 0, current = '' } = archived() ?? {}
    const filesDone = Math.max(filesArchived, seen.files)
    const bytesRead = writer.totals().bytesRead - readBefore
    const bytesDone = Math.max(bytesUnread, seen.bytes) + bytesRead
    const left = census.bytes - bytesDone
    const known = census.complete && left >= 0
    // What the parent has costs next to nothing: the rate is that of reading.
    const rate = bytesRead / (performance.now() - startMs)
    progress({
      type: 'backup',
      filesDone,
      bytesDone,
      ...(census.complete && { filesTotal: Math.max(census.files, filesDone), bytesTotal: Math.max(census.bytes, bytesDone) }),
      ...(known && rate > 0 && { etaMs: left / rate }),
      ...(current !== '' && { current }),
    })
  }
}

function targetsOf(node: TargetNode): Buffer[] {
  return node.kind === 'target' ? [node.path] : [...node.children.values()].flatMap(targetsOf)
}

/** A snapshot of nothing would look like a backup. */
function refuseWhenNothingIsThere(targets: readonly Buffer[]): void {
  if (targets.some((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)) return
  throw new HoldfastError('not-found', {
    message: `there is nothing to back up: ${targets.map((path) => path.toString()).join(', ')}`,
    hint: 'check the paths; relative ones count from the working directory',
  })
}
