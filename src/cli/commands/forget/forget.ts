import {
  forget,
  forgetNamed,
  hasNoRule,
  parseSpan,
  type ForgetReport,
  type KeepRules,
  type PruneReport,
} from '../../../backup/index.ts'
import { findService, type Catalog } from '../../../catalog/index.ts'
import { exitCodes, HoldfastError, parseDuration, shortId } from '../../../kernel/index.ts'
import type { SnapshotFilter } from '../../../repository/index.ts'
import { openTargetRepository, type TargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf, type Context } from '../../context.ts'
import { collect, filterOf, pathOption, tagOption, type FilterOptions } from '../../snapshot-options.ts'
import { pruneOptions, pruneOptionsOf } from '../prune/options.ts'
import { runPrune } from '../prune/run.ts'
import { pruneText } from '../prune/wording.ts'
import { collectTags, parseCount, parseGroupBy, rulesOf, rulesOfService } from './rules.ts'
import { forgetJson, forgetText } from './wording.ts'

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
  .option('--service <name>', 'only of this service of the catalog, by its own rules unless some are given')
  .option('-n, --dry-run', 'show what would be removed, and why')
  .option('--unsafe-allow-remove-all', 'without rules, remove all that --host, --tag and --path select')
  .option('--prune', 'when snapshots were removed, free the space of what only they held, as `holdfast prune` does')
  .addOption(maxUnused)
  .addOption(maxRepackSize)
  .addOption(repackSmall)
  .addOption(repackUncompressed)
  .option('--retry-lock <duration>', 'wait so long for others that use the repository', parseDuration)
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (ids, options, self) => {
    const context = contextOf(self)
    const { globals, signal } = context
    const given = rulesOf(options)
    if (ids.length > 0 && !hasNoRule(given))
      throw new HoldfastError('usage', {
        message: 'give either ids or rules, not both',
        hint: 'ids are removed whatever rules say',
      })
    await using target = await openTargetRepository(globals, options.repository, signal)
    const shared = {
      repository: target.repository,
      filter: forgetFilter(options),
      ...(options.dryRun && { dryRun: true }),
      ...(options.retryLock !== undefined && { retryLockMs: options.retryLock }),
    }
    const pruneAfter = (removed: readonly string[]) =>
      options.prune && removed.length > 0
        ? runPrune(
            {
              repository: target.repository,
              ...pruneOptionsOf(options),
              ...(options.dryRun && { dryRun: true, without: removed }),
              ...(options.unsafeAllowRemoveAll && { allowRemoveAll: true }),
              ...(options.retryLock !== undefined && { retryLockMs: options.retryLock }),
            },
            context,
          )
        : undefined
    if (ids.length > 0) {
      const removed = await forgetNamed({ ...shared, ids }, signal)
      printNamed({ dryRun: options.dryRun === true, removed }, await pruneAfter(removed), context)
      return
    }
    const report = await forget(
      {
        ...shared,
        rules: hasNoRule(given) && options.service !== undefined ? serviceRules(target, options.service) : given,
        ...(options.groupBy && { groupBy: options.groupBy }),
        ...(options.unsafeAllowRemoveAll && { allowRemoveAll: true }),
      },
      signal,
    )
    printReport(report, await pruneAfter(report.removed), context)
  })

/** A service's snapshots carry its name. */
function forgetFilter({ service, ...options }: FilterOptions & { readonly service?: string }): SnapshotFilter {
  return { ...filterOf(options), ...(service !== undefined && { tags: [`service:${service}`] }) }
}

function serviceRules({ catalog }: TargetRepository, name: string): KeepRules {
  const keep = findService(requireCatalog(catalog), name).backup?.keep
  if (keep !== undefined) return rulesOfService(keep)
  throw new HoldfastError('usage', {
    message: `the catalog does not say which snapshots of ${name} are kept`,
    hint: `add services.${name}.backup.keep, such as { daily: 7, weekly: 5, monthly: 12 }, or give rules here`,
  })
}

function requireCatalog(catalog: Catalog | undefined): Catalog {
  if (catalog !== undefined) return catalog
  throw new HoldfastError('usage', {
    message: 'with --repo no catalog is read, so nothing says which snapshots of the service are kept',
    hint: 'give rules, or --catalog and --repository instead of --repo',
  })
}

interface Named {
  readonly dryRun: boolean
  readonly removed: readonly string[]
}

function printNamed(named: Named, pruned: PruneReport | undefined, { print }: Context): void {
  const names = named.removed.map(shortId).join(', ')
  const text = named.dryRun
    ? `would remove ${names}; nothing was removed: a dry run`
    : `removed ${names}${pruned ? '' : '; `holdfast prune` frees what only they held'}`
  print.result({ ...named, ...(pruned && { prune: pruned }) }, () => withPruned(text, pruned))
}

/** What could not be judged was kept; that must not pass unnoticed. */
function printReport(report: ForgetReport, pruned: PruneReport | undefined, { print }: Context): void {
  print.result({ ...forgetJson(report), ...(pruned && { prune: pruned }) }, () => withPruned(forgetText(report), pruned))
  for (const { id, reason } of report.unreadable) print.note(`kept unseen: snapshot ${shortId(id)} cannot be read: ${reason}`)
  for (const id of report.future)
    print.note(
      `snapshot ${shortId(id)} is dated in the future: it was not counted and is kept; remove it with \`holdfast forget ${shortId(id)}\` once others are known to be good`,
    )
  if (report.unreadable.length + report.future.length > 0) process.exitCode = exitCodes.partlyDone
}

function withPruned(text: string, pruned: PruneReport | undefined): string {
  return pruned ? `${text}\n\n${pruneText(pruned)}` : text
}
