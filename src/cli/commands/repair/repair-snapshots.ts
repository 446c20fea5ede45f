import { repairSnapshots } from '../../../backup/index.ts'
import { exitCodes, parseDuration, shortId } from '../../../kernel/index.ts'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { filterOf, hostOption, pathOption, tagOption } from '../../snapshot-options.ts'
import { snapshotsText } from './wording.ts'

export const repairSnapshotsCommand = command('snapshots', 'write snapshots anew without what is missing', [
  ['holdfast --repo /mnt/nas/holdfast repair snapshots --dry-run', 'what would be left out'],
  ['holdfast --repo /mnt/nas/holdfast repair snapshots', 'beside the damaged ones; the new ones carry the tag repaired'],
  ['holdfast --repo /mnt/nas/holdfast repair snapshots --forget', 'instead of the damaged ones'],
])
  .argument('[ids...]', 'only these (default: all)')
  .option('--forget', 'remove the damaged snapshots, and those of which nothing can be read')
  .option('-n, --dry-run', 'show what would be left out')
  .addOption(hostOption)
  .addOption(pathOption)
  .addOption(tagOption)
  .option('--retry-lock <duration>', 'wait so long for others that use the repository', parseDuration)
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (ids, { forget, dryRun, retryLock, repository: name, ...filter }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const report = await repairSnapshots(
      {
        repository: target.repository,
        ids,
        filter: filterOf(filter),
        ...(forget && { forget }),
        ...(dryRun && { dryRun }),
        ...(retryLock !== undefined && { retryLockMs: retryLock }),
      },
      (event) => print.progress(event, () => `looking through snapshots: ${event.done} of ${event.total}`),
      signal,
    )
    print.result(report, snapshotsText)
    for (const { id, reason } of report.unreadable)
      print.note(`nothing can be saved of snapshot ${shortId(id)}: ${reason}; \`holdfast forget ${shortId(id)}\` removes it`)
    if (report.unreadable.length > 0) process.exitCode = exitCodes.partlyDone
  })
