import { Option } from '@commander-js/extra-typings'
import { loadCatalog } from '../../../catalog/index.ts'
import { exitCodes, HoldfastError, isHoldfastError, messageOf } from '../../../kernel/index.ts'
import { selectSnapshots } from '../../../repository/index.ts'
import { contextIn, copyAndRecord, copyService, openSourceRepository, openTargetRepository } from '../../../service/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import { command } from '../../command.ts'
import { contextOf, type Context } from '../../context.ts'
import { filterOf, hostOption, pathOption, tagOption, type FilterOptions } from '../../snapshot-options.ts'
import { asJson, noteFailed, progressText, summaryText } from './wording.ts'

interface Options extends FilterOptions {
  readonly from?: string
  readonly to?: string
  readonly fromRepo?: string
  readonly fromPasswordFile?: string
  readonly service?: string
  readonly dryRun?: true
}

export const copyCommand = command('copy', 'copy snapshots to another repository', [
  ['holdfast copy --service orders-db', "from the first of the service's repositories to its others"],
  ['holdfast copy --from nas --to offsite', 'all that one repository of the catalog has and the other lacks'],
  [
    'holdfast --repo /mnt/usb --password-file usb.txt copy --from-repo /mnt/nas --from-password-file nas.txt latest',
    'the newest snapshot, without a catalog',
  ],
])
  .argument('[snapshots...]', "'latest' or beginnings of ids (default: all that match the options)")
  .option('--service <name>', 'a service of the catalog: its snapshots, to its repositories behind the first')
  .option('--from <name>', 'which of the catalog’s repositories to copy from')
  .option('--to <name>', 'which of the catalog’s repositories to copy to, instead of --repo')
  .addOption(new Option('--from-repo <location>', 'the repository to copy from').env('HOLDFAST_FROM_REPOSITORY'))
  .addOption(new Option('--from-password-file <file>', 'the file that holds its password').env('HOLDFAST_FROM_PASSWORD_FILE'))
  .addOption(hostOption)
  .addOption(pathOption)
  .addOption(tagOption)
  .option('-n, --dry-run', 'look what would be copied, and copy nothing')
  .action(async (ids, options, self) => {
    const context = contextOf(self)
    const { service, ...others } = options
    if (service === undefined) await copyBetween(ids, options, context)
    else await copyOfService(service, ids, others, context)
  })

async function copyBetween(ids: readonly string[], options: Options, { globals, print, signal }: Context): Promise<void> {
  const { repo, catalog: catalogFile } = globals
  const choice = { ...options, ...(catalogFile !== undefined && { catalog: catalogFile }) }
  await using source = await openSourceRepository(choice, signal)
  await using target = await openTargetRepository(globals, options.to, signal)
  const from = source.repository
  const to = target.repository
  if (from.location === to.location)
    throw new HoldfastError('usage', { message: `${from.location} is both what to copy from and what to copy to` })
  const unreadable: string[] = []
  const selection = {
    ids,
    filter: filterOf(options),
    onDamaged: (_: string, { message }: HoldfastError) => unreadable.push(message),
  }
  const snapshots = await selectSnapshots(from, selection, signal)
  const names = { from: options.from ?? from.location, to: repo ?? options.to ?? to.location }
  const { catalog } = target
  const summary = await copyAndRecord(
    { from, to, snapshots, dryRun: options.dryRun ?? false },
    names,
    contextIn(catalog),
    (event) => print.progress(event, () => progressText(event)),
    signal,
  )
  print.result({ ...asJson(summary), unreadable }, () => summaryText(summary, options.dryRun === true))
  for (const message of unreadable) print.note(`not copied: ${message}`)
  noteFailed(summary, print)
  if (unreadable.length > 0) process.exitCode = exitCodes.partlyDone
}

async function copyOfService(
  service: string,
  ids: readonly string[],
  options: Omit<Options, 'service'>,
  { globals, print, signal }: Context,
): Promise<void> {
  const beside = ids.length > 0 ? 'snapshots' : options.from === undefined ? undefined : '--from'
  if (beside !== undefined)
    throw new HoldfastError('usage', {
      message: `give either ${beside} or --service, not both`,
      hint: 'the catalog says where the snapshots of a service are',
    })
  const catalog = await loadCatalog(catalogPath(globals), {}, signal)
  const { dryRun = false, to } = options
  const { from, outcomes } = await copyService(
    { catalog, service, filter: filterOf(options), dryRun, ...(to !== undefined && { to }) },
    (event) => print.progress(event, () => `${event.repository}: ${progressText(event)}`),
    signal,
  )
  const copies = outcomes.flatMap((outcome) => ('summary' in outcome ? [outcome] : []))
  const failures = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []))
  if (copies.length === 0 && failures[0] !== undefined) throw failures[0].error
  print.result(
    {
      service,
      from,
      copies: copies.map(({ repository, summary }) => ({ repository, ...asJson(summary) })),
      failures: failures.map(({ repository, error }) => ({ repository, error: errorJson(error) })),
    },
    () => copies.map(({ summary }) => summaryText(summary, dryRun)).join('\n'),
  )
  for (const { repository, error } of failures) print.note(`nothing was copied to ${repository}: ${messageOf(error)}`)
  for (const { summary } of copies) noteFailed(summary, print)
  if (failures.length > 0) process.exitCode = exitCodes.partlyDone
}

function errorJson(error: unknown): object {
  const { code, hint } = isHoldfastError(error) ? error : { code: 'internal', hint: undefined }
  return { code, message: messageOf(error), ...(hint === undefined ? {} : { hint }) }
}
