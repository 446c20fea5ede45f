import type { ArchiveProgress, BackupSummary, Skipped } from '../../backup/index.ts'
import { backup } from '../../backup/index.ts'
import { loadCatalog } from '../../catalog/index.ts'
import { exitCodes, formatDuration, formatSize, HoldfastError, isHoldfastError, messageOf, shortId } from '../../kernel/index.ts'
import { openTargetRepository, protectService, recordBackup, type FailedCopy } from '../../service/index.ts'
import { createFilesSource } from '../../sources/index.ts'
import { command } from '../command.ts'
import { contextOf, type Context } from '../context.ts'

interface Options {
  readonly service?: string
  readonly repository?: string
  readonly exclude?: readonly string[]
  readonly tag?: readonly string[]
  readonly host?: string
  readonly parent?: string
  readonly force?: true
  readonly dryRun?: true
}

export const backupCommand = command('backup', 'save files, or a service of the catalog, as a snapshot', [
  ['holdfast --repo /mnt/nas/holdfast backup /srv/data', 'a folder, with all that is in it'],
  ["holdfast --repo /mnt/nas/holdfast backup /home --exclude '*.tmp' --exclude node_modules", 'without what can be made again'],
  ['holdfast backup --service orders-db', 'what the catalog says of orders-db, to each of its repositories'],
])
  .argument('[paths...]', 'files and directories')
  .option('--service <name>', 'a service of the catalog, instead of paths')
  .option('--repository <name>', 'which of the catalog’s repositories the paths go to, or the only one that the service goes to')
  .option('--exclude <pattern>', 'leave out what matches; may be given again', collect)
  .option('--tag <tag>', 'a tag for the snapshot; may be given again', collect)
  .option('--host <name>', 'the host that the snapshot names (default: this one)')
  .option('--parent <id>', 'the snapshot to compare with (default: the newest of the same paths and host)')
  .option('--force', 'read everything again, whatever the parent says')
  .option('--dry-run', 'read and count, but store nothing')
  .action(async (paths, options, self) => {
    const context = contextOf(self)
    const { service, ...others } = options
    if (service !== undefined) await backUpService(service, paths, others, context)
    else await backUpPaths(paths, options, context)
  })

function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value]
}

async function backUpPaths(paths: readonly string[], options: Options, { globals, print, signal }: Context): Promise<void> {
  const { exclude = [], tag = [], host, parent, force, dryRun } = options
  const source = createFilesSource({ paths, excludes: exclude, tags: tag })
  await using target = await openTargetRepository(globals, options.repository, signal)
  const { repository, catalog } = target
  const summary = await backup(
    {
      repository,
      source,
      ...(host !== undefined && { host }),
      ...(parent !== undefined && { parent }),
      ...(force && { force }),
      ...(dryRun && { dryRun }),
    },
    (event) => print.progress(event, () => progressText(event)),
    signal,
  )
  if (!dryRun) {
    const record = { source: source.kind, repository: options.repository ?? repository.location, summary }
    await recordBackup(repository, record, catalog ? { catalogPath: catalog.file, catalogHash: catalog.hash } : {}, signal)
  }
  print.result(summary, (summary) => summaryText(summary, paths.join(', ')))
  noteSkipped(summary.skipped, print)
  noteLost(summary, print)
}

async function backUpService(
  service: string,
  paths: readonly string[],
  { force, tag = [], repository, dryRun, ...forPaths }: Omit<Options, 'service'>,
  { globals, print, signal }: Context,
): Promise<void> {
  refuseBesideService(paths, forPaths)
  const catalog = await loadCatalog(globals.catalog ?? 'holdfast.yaml', {}, signal)
  const { copies, failures } = await protectService(
    {
      catalog,
      service,
      tags: tag,
      ...(repository !== undefined && { repository }),
      ...(force && { full: force }),
      ...(dryRun && { dryRun }),
    },
    (event) => print.progress(event, () => `${event.repository}: ${progressText(event)}`),
    signal,
  )
  print.result({ service, copies, failures: failures.map(failureJson) }, () =>
    copies.map(({ repository, summary }) => summaryText(summary, `${service} in ${repository}`)).join('\n'),
  )
  // The others were backed up all the same.
  for (const { repository, source, error } of failures) {
    const hint = isHoldfastError(error) && error.hint !== undefined ? ` (${error.hint})` : ''
    print.note(`not backed up: the ${source} of ${service} in ${repository}: ${messageOf(error)}${hint}`)
  }
  if (failures.length > 0) process.exitCode = exitCodes.partlyDone
  for (const { summary } of copies) noteSkipped(summary.skipped, print)
  for (const { summary } of copies) noteLost(summary, print)
}

/** What the catalog says of a service would be said twice, and only one of them be heard. */
function refuseBesideService(paths: readonly string[], forPaths: Pick<Options, 'exclude' | 'host' | 'parent'>): void {
  const given =
    paths.length > 0
      ? 'paths'
      : Object.entries(forPaths).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))[0]
  if (given === undefined) return
  throw new HoldfastError('usage', {
    message: `give either ${given} or --service, not both`,
    hint: 'the catalog says what the service holds, and what is left out of it',
  })
}

function failureJson({ error, ...part }: FailedCopy): object {
  const { code, hint } = isHoldfastError(error) ? error : { code: 'internal', hint: undefined }
  return { ...part, error: { code, message: messageOf(error), ...(hint === undefined ? {} : { hint }) } }
}

/** This snapshot is whole; of older ones nobody knows, and whoever reads nothing but exit codes must learn of it. */
function noteLost({ lostPacks }: BackupSummary, print: Context['print']): void {
  if (lostPacks.length === 0) return
  print.note(
    `${lostPacks.length === 1 ? 'a pack' : `${lostPacks.length} packs`} of the repository, missing or cut short, went unused: what of it is still in the source was stored again. Run \`holdfast check\` to see which snapshots are affected`,
  )
  process.exitCode = exitCodes.partlyDone
}

/** Not complete is not done: each entry is named, and the exit code says so. */
function noteSkipped(skipped: readonly Skipped[], print: Context['print']): void {
  if (skipped.length === 0) return
  if (!print.json) for (const { path, reason } of skipped) print.note(`skipped ${JSON.stringify(path)}: ${reason}`)
  process.exitCode = exitCodes.partlyDone
}

function progressText({ filesDone, filesTotal, bytesDone, bytesTotal, etaMs, current }: ArchiveProgress): string {
  const of = (total: string | undefined) => (total === undefined ? '' : ` of ${total}`)
  const percent = bytesTotal ? `${Math.min(100, Math.floor((bytesDone / bytesTotal) * 100))} %  ` : ''
  const left = etaMs === undefined || etaMs < 1000 ? '' : `, ${formatDuration(etaMs)} left`
  const files = `${filesDone}${of(filesTotal?.toString())} files`
  const bytes = `${formatSize(bytesDone)}${of(bytesTotal === undefined ? undefined : formatSize(bytesTotal))}`
  // A file name may hold anything, control sequences too.
  return `${percent}${files}, ${bytes}${left}${current === undefined ? '' : `  ${JSON.stringify(current).slice(1, -1)}`}`
}

function summaryText(summary: BackupSummary, what: string): string {
  const { snapshot, skipped, durationMs } = summary
  const saved =
    snapshot === undefined ? `nothing was stored of ${what}: a dry run` : `snapshot ${shortId(snapshot)} of ${what} saved`
  return [
    `files      ${summary.filesNew} new, ${summary.filesChanged} changed, ${summary.filesUnmodified} unmodified`,
    `folders    ${summary.dirsNew} new, ${summary.dirsChanged} changed, ${summary.dirsUnmodified} unmodified`,
    `added      ${formatSize(summary.addedBytes)}, stored in ${formatSize(summary.addedStoredBytes)}`,
    `processed  ${summary.totalFilesProcessed} files, ${formatSize(summary.totalBytesProcessed)} in ${formatDuration(durationMs)}`,
    ...(skipped.length > 0 ? [`skipped    ${skipped.length}, so the snapshot is not complete`] : []),
    saved,
  ].join('\n')
}
