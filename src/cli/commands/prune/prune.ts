import { prune } from '../../../backup/index.ts'
import { parseDuration } from '../../../kernel/index.ts'
import { contextIn, openTargetRepository, recordPruned } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { pruneOptions, pruneOptionsOf } from './options.ts'
import { notePruned } from './note-pruned.ts'
import { progressText, pruneText } from './wording.ts'

const [maxUnused, maxRepackSize, repackSmall, repackUncompressed] = pruneOptions

export const pruneCommand = command('prune', 'free the space of what no snapshot needs', [
  ['holdfast --repo /mnt/nas/holdfast prune --dry-run', 'what would be freed'],
  ['holdfast --repo /mnt/nas/holdfast prune', 'all but 5 % of it'],
  ['holdfast --repo /mnt/nas/holdfast prune --max-unused unlimited', 'only packs that nothing is needed of: fast'],
  ['holdfast --repo /mnt/nas/holdfast prune --retry-lock 2h', 'once the backups that are running have ended'],
])
  .addOption(maxUnused)
  .addOption(maxRepackSize)
  .addOption(repackSmall)
  .addOption(repackUncompressed)
  .option('-n, --dry-run', 'show what would be done')
  .option('--unsafe-allow-remove-all', 'with no snapshot left, delete everything')
  .option('--retry-lock <duration>', 'wait so long for others that use the repository', parseDuration)
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (options, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, options.repository, signal)
    const { dryRun, unsafeAllowRemoveAll, retryLock } = options
    const report = await prune(
      {
        repository: target.repository,
        ...pruneOptionsOf(options),
        ...(dryRun && { dryRun }),
        ...(unsafeAllowRemoveAll && { allowRemoveAll: unsafeAllowRemoveAll }),
        ...(retryLock !== undefined && { retryLockMs: retryLock }),
      },
      (event) => print.progress(event, () => progressText(event)),
      signal,
    )
    const { repository, catalog } = target
    const name = options.repository ?? repository.location
    await recordPruned({ repository, name, context: contextIn(catalog) }, report, signal)
    print.result(report, pruneText)
    notePruned(report, print)
  })
