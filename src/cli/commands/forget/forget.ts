import { forgetAndPrune, forgetNamedAndPrune, hasNoRule, parseSpan } from '../../../backup/index.ts'
import { loadCatalog } from '../../../catalog/index.ts'
import { HoldfastError, parseDuration } from '../../../kernel/index.ts'
import {
  contextIn,
  forgetService,
  openTargetRepository,
  recordForgotten,
  recordForgottenNamed,
  recordPruned,
} from '../../../service/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { collect, filterOf, pathOption, tagOption } from '../../snapshot-options.ts'
import { pruneOptions, pruneOptionsOf } from '../prune/options.ts'
import { progressText } from '../prune/wording.ts'
import { printNamed, printOutcomes, printReport } from './print.ts'
import { collectTags, parseCount, parseGroupBy, rulesOf } from './rules.ts'

const span = '<span>'
const [maxUnused, maxRepackSize, repackSmall, repackUncompressed] = pruneOptions

export const forgetCommand = command('forget', 'remove snapshots that are no longer to be kept', [
  ['holdfast --repo /mnt/nas/holdfast forget --keep-daily 7 --keep-weekly 5 --dry-run', 'what would go, and why'],
  ['holdfast --repo /mnt/nas/holdfast forget --keep-daily 7 --keep-weekly 5', 'it goes; its data stays until `prune`'],
  ['holdfast forget --service orders-db --repository nas', 'by what the catalog says: backup.keep'],
  ['holdfast --repo /mnt/nas/holdfast forget 3f2a91c0', 'this one'],
])
  .argument('[ids...]', 'snapshots to remove, instead of rules')
  .option('-l, --keep-last <n>', 'keep the newest n; like every count also: unlimited', parseCount)
  .option('-H, --keep-hourly <n>', 'keep the newest of each of the last n hours that have one', parseCount)
  .option('-d, --keep-daily <n>', 'keep the newest of each of the last n days that have one', parseCount)
  .option('-w, --keep-weekly <n>', 'keep the newest of each of the last n weeks that have one', parseCount)
  .option('-m, --keep-monthly <n>', 'keep the newest of each of the last n months that have one', parseCount)
  .option('-y, --keep-yearly <n>', 'keep the newest of each of the last n years that have one', parseCount)
  .option(`--keep-within ${span}`, 'keep all that are at most 1y5m7d2h older than the newest (m: months)', parseSpan)
  .option(`--keep-within-hourly ${span}`, 'of those, keep the newest of each hour', parseSpan)
  .option(`--keep-within-daily ${span}`, 'of those, keep the newest of each day', parseSpan)
  .option(`--keep-within-weekly ${span}`, 'of those, keep the newest of each week', parseSpan)
  .option(`--keep-within-monthly ${span}`, 'of those, keep the newest of each month', parseSpan)
  .option(`--keep-within-yearly ${span}`, 'of those, keep the newest of each year', parseSpan)
  .option('--keep-tag <tags>', "keep what has all of these tags: a,b; may be given again; '' is for none", collectTags)
  .option('--host <name>', 'only of this host; may be given again, for any of them', collect)
  .addOption(tagOption)
  .addOption(pathOption)
  .option(
    '-g, --group-by <keys>',
    "what snapshots that stand for each other have in common (default: host,paths; '': nothing)",
    parseGroupBy,
  )
  .option('--service <name>', 'only of this service, in each of its repositories, by the catalog’s rules unless some are given')
  .option('-n, --dry-run', 'show what would be removed, and why')
  .option('--unsafe-allow-remove-all', 'without rules, remove all that --host, --tag and --path select')
  .option('--prune', 'when snapshots were removed, free the space of what only they held, as `holdfast prune` does')
  .addOption(maxUnused)
  .addOption(maxRepackSize)
  .addOption(repackSmall)
  .addOption(repackUncompressed)
  .option('--retry-lock <duration>', 'wait so long for others that use the repository', parseDuration)
  .option('--repository <name>', 'which of the catalog’s repositories, or the only one that the service’s are forgotten in')
  .action(async (ids, options, self) => {
    const { globals, print, signal } = contextOf(self)
    const { service, repository: name, groupBy, unsafeAllowRemoveAll: allowRemoveAll, retryLock } = options
    const rules = rulesOf(options)
    refuseTogether(ids, hasNoRule(rules), service, globals.repo)
    const job = {
      filter: filterOf(options),
      ...(options.dryRun && { dryRun: true }),
      ...(retryLock !== undefined && { retryLockMs: retryLock }),
      ...(options.prune && { prune: { ...pruneOptionsOf(options), ...(allowRemoveAll && { allowRemoveAll }) } }),
    }
    const byRules = { ...job, ...(groupBy && { groupBy }) }
    if (service !== undefined) {
      const catalog = await loadCatalog(catalogPath(globals), {}, signal)
      const outcomes = await forgetService(
        { ...byRules, catalog, service, ...(name !== undefined && { repository: name }), ...(!hasNoRule(rules) && { rules }) },
        (event) => print.progress(event, () => `${event.repository}: ${progressText(event)}`),
        signal,
      )
      printOutcomes(service, outcomes, print)
      return
    }
    await using target = await openTargetRepository(globals, name, signal)
    const { repository, catalog } = target
    const on = { repository, name: name ?? repository.location, context: contextIn(catalog) }
    const progress = (event: Parameters<typeof progressText>[0]) => print.progress(event, () => progressText(event))
    if (ids.length > 0) {
      const done = await forgetNamedAndPrune({ ...job, repository, ids }, progress, signal)
      if (options.dryRun !== true) await recordForgottenNamed(on, done.removed, signal)
      if (done.pruned) await recordPruned(on, done.pruned, signal)
      printNamed({ dryRun: options.dryRun === true, ...done }, print)
      return
    }
    const done = await forgetAndPrune(
      { ...byRules, repository, rules, ...(allowRemoveAll && { allowRemoveAll }) },
      progress,
      signal,
    )
    await recordForgotten(on, done.forgotten, rules, signal)
    if (done.pruned) await recordPruned(on, done.pruned, signal)
    printReport(done, print)
  })

/** What is said twice must not be heard once. */
function refuseTogether(ids: readonly string[], noRule: boolean, service: string | undefined, repo: string | undefined): void {
  if (ids.length > 0 && !noRule)
    throw new HoldfastError('usage', {
      message: 'give either ids or rules, not both',
      hint: 'ids are removed whatever rules say',
    })
  if (service === undefined || (ids.length === 0 && repo === undefined)) return
  throw new HoldfastError('usage', {
    message: `give either ${repo === undefined ? 'ids' : '--repo'} or --service, not both`,
    hint: 'the catalog says where the snapshots of a service are, and which are kept',
  })
}
