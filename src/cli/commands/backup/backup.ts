import { Option } from '@commander-js/extra-typings'
import { backup, parseBytes } from '../../../backup/index.ts'
import { loadCatalog } from '../../../catalog/index.ts'
import { exitCodes, HoldfastError, isHoldfastError, messageOf } from '../../../kernel/index.ts'
import { contextIn, openTargetRepository, protectService, recordBackup } from '../../../service/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import { command } from '../../command.ts'
import { contextOf, type Context } from '../../context.ts'
import { parseTimeArgument } from '../../parse-time.ts'
import { collect, splitTags } from '../../snapshot-options.ts'
import { sourceOf, type SourceChoice } from './source-of.ts'
import { failureJson, noteLost, noteSkipped, progressText, summaryText } from './wording.ts'

interface Options extends SourceChoice {
  readonly service?: string
  readonly repository?: string
  readonly tag?: readonly string[]
  readonly host?: string
  readonly parent?: string
  readonly force?: true
  readonly full?: true
  readonly skipIfUnchanged?: true
  readonly time?: bigint
  readonly dryRun?: true
}

export const backupCommand = command('backup', 'save files, or a service of the catalog, as a snapshot', [
  ['holdfast --repo /mnt/nas/holdfast backup /srv/data', 'a folder, with all that is in it'],
  ["holdfast --repo /mnt/nas/holdfast backup /home --exclude '*.tmp' --exclude-caches -x", 'without what can be made again'],
  ['holdfast --repo /mnt/nas/holdfast backup --stdin-from-command --stdin-name db.sql -- pg_dump shop', 'what a program writes'],
  ['holdfast backup --service orders-db', 'what the catalog says of orders-db, to each of its repositories'],
])
  .argument('[paths...]', 'files and directories; with --stdin-from-command the command and its arguments, behind --')
  .option('--service <name>', 'a service of the catalog, instead of paths')
  .option('--repository <name>', 'which of the catalog’s repositories the paths go to, or the only one that the service goes to')
  .option('-e, --exclude <pattern>', 'leave out what matches, and with ! before it let it in again; may be given again', collect)
  .option('--iexclude <pattern>', 'the same, with upper and lower case alike', collect)
  .option('--exclude-file <file>', 'patterns for --exclude, one a line; may be given again', collect)
  .option('--iexclude-file <file>', 'patterns for --iexclude, one a line; may be given again', collect)
  .option('--exclude-caches', 'leave out folders that CACHEDIR.TAG marks as caches, but for that file')
  .option('--exclude-if-present <name[:header]>', 'leave out folders with such a file, but for it; may be given again', collect)
  .option('--exclude-larger-than <size>', "leave out files that are larger: '1G', '500MiB'", (size) => parseBytes(size))
  .option('-x, --one-file-system', 'stay on the file systems that the paths are on')
  .option('--files-from <file>', 'paths to save, one pattern a line (- is stdin); may be given again', collect)
  .option('--files-from-verbatim <file>', 'paths to save, one a line, no patterns; may be given again', collect)
  .option('--files-from-raw <file>', 'paths to save, each ended by a zero byte; may be given again', collect)
  .option('--stdin', 'save what comes from stdin as one file')
  .option('--stdin-from-command', 'run a command and save what it writes as one file; no snapshot when it fails')
  .option('--stdin-name <name>', 'the path of that file (default: stdin)')
  .option('--stdin-filename <name>', 'the same: its name in restic')
  .option('--tag <tags>', 'tags for the snapshot, separated by commas; may be given again', collect)
  .option('-H, --host <name>', 'the host that the snapshot names (default: this one)')
  .option('--time <time>', "the time that the snapshot says, like '2026-11-27 14:30:00' (default: now)", parseTimeArgument)
  .option('--parent <id>', 'the snapshot to compare with (default: the newest of the same paths and host)')
  .option('-f, --force', 'read everything again, whatever the parent says')
  .addOption(new Option('--full', 'the same'))
  .option('--ignore-ctime', 'a file with another ctime only has not changed')
  .option('--ignore-inode', 'a file with another inode or ctime only has not changed')
  .option('--with-atime', 'keep when files were last read')
  .option('--skip-if-unchanged', 'write no snapshot when all is as in the parent')
  .option('-n, --dry-run', 'read and count, but store nothing')
  .action(async (paths, options, self) => {
    const context = contextOf(self)
    const { service, ...others } = options
    if (service !== undefined) await backUpService(service, paths, others, context)
    else await backUpPaths(paths, options, context)
  })

async function backUpPaths(paths: readonly string[], options: Options, { globals, print, signal }: Context): Promise<void> {
  const { tag = [], host, parent, force, full, skipIfUnchanged, time, dryRun } = options
  const { source, what } = await sourceOf(
    paths,
    { ...options, tags: tag.flatMap(splitTags).filter((name) => name !== '') },
    print,
  )
  await using target = await openTargetRepository(globals, options.repository, signal)
  const { repository, catalog } = target
  const summary = await backup(
    {
      repository,
      source,
      ...(host !== undefined && { host }),
      ...(parent !== undefined && { parent }),
      ...((force ?? full) && { force: true }),
      ...(skipIfUnchanged && { skipIfUnchanged }),
      ...(time !== undefined && { timeMs: Number(time / 1_000_000n) }),
      ...(dryRun && { dryRun }),
    },
    (event) => print.progress(event, () => progressText(event)),
    signal,
  )
  if (summary.snapshot !== undefined) {
    const record = { source: source.kind, repository: options.repository ?? repository.location, summary }
    await recordBackup(repository, record, contextIn(catalog), signal)
  }
  print.result(summary, (summary) => summaryText(summary, what))
  noteSkipped(summary.skipped, print)
  noteLost(summary, print)
}

async function backUpService(
  service: string,
  paths: readonly string[],
  { force, full, tag = [], repository, dryRun, ...forPaths }: Omit<Options, 'service'>,
  { globals, print, signal }: Context,
): Promise<void> {
  refuseBesideService(paths, { ...forPaths })
  const catalog = await loadCatalog(catalogPath(globals), {}, signal)
  const { copies, failures } = await protectService(
    {
      catalog,
      service,
      tags: tag.flatMap(splitTags),
      ...(repository !== undefined && { repository }),
      ...((force ?? full) && { full: true }),
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
function refuseBesideService(paths: readonly string[], forPaths: Readonly<Record<string, unknown>>): void {
  const dashed = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const given =
    paths.length > 0
      ? 'paths'
      : Object.entries(forPaths).flatMap(([name, value]) => (value === undefined ? [] : [`--${dashed(name)}`]))[0]
  if (given === undefined) return
  throw new HoldfastError('usage', {
    message: `give either ${given} or --service, not both`,
    hint: 'the catalog says what the service holds, and what is left out of it',
  })
}
