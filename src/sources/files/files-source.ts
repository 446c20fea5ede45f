import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadPosix, type ArchiveContext, type ArchivedTree, type Source } from '../../backup/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import { Archive } from './archive.ts'
import { createExclude, type Exclude } from './exclude.ts'
import { NodeReader } from './node-reader.ts'
import { loadOwners } from './owners.ts'
import { layOutTargets, type TargetNode } from './targets.ts'
import { count, type Census } from './walk.ts'

export interface FilesSourceOptions {
  /** Files and directories; relative ones count from the working directory. */
  readonly paths: readonly string[]
  /** Patterns as for createExclude. */
  readonly excludes?: readonly string[]
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
      paths: [...new Set(paths.map((path) => resolve(workingDirectory, path)))].toSorted(),
      tags,
      excludes,
    }),
    archive: (context, signal) => archiveFiles(context, { paths, exclude: createExclude(excludes), workingDirectory }, signal),
  }
}

async function archiveFiles(
  context: ArchiveContext,
  { paths, exclude, workingDirectory }: { paths: readonly string[]; exclude: Exclude; workingDirectory: string },
  signal: AbortSignal,
): Promise<ArchivedTree> {
  const root = layOutTargets(paths, workingDirectory)
  refuseWhenNothingIsThere(targetsOf(root))
  const posix = loadPosix()
  const [owners, index] = await Promise.all([loadOwners(), context.repository.loadIndex(signal)])
  const has = (blob: string) => index.has('data', blob)
  const archive = new Archive(context, { exclude, nodes: new NodeReader(owners, posix), has }, signal)

  const ended = new AbortController()
  const census: Census = { files: 0, bytes: 0, complete: false }
  const counting = count(targetsOf(root), exclude, census, AbortSignal.any([signal, ended.signal])).catch(() => {})
  const report = reporter(context, archive, census)
  const timer = setInterval(report, progressEveryMs)
  try {
    const saved = await archive.save(root)
    report()
    return saved
  } finally {
    clearInterval(timer)
    ended.abort()
    await counting
  }
}

function reporter({ writer, progress }: ArchiveContext, archive: Archive, census: Census): () => void {
  const startMs = performance.now()
  const readBefore = writer.totals().bytesRead
  return () => {
    const { filesDone, bytesUnread, current } = archive.progress
    const bytesRead = writer.totals().bytesRead - readBefore
    const bytesDone = bytesUnread + bytesRead
    const left = census.bytes - bytesDone
    const known = census.complete && left >= 0
    // What the parent has costs next to nothing: the rate is that of reading.
    const rate = bytesRead / (performance.now() - startMs)
    progress({
      type: 'backup',
      filesDone,
      bytesDone,
      ...(census.complete && { filesTotal: census.files, bytesTotal: census.bytes }),
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
