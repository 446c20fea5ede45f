import { repairPacks } from '../../../backup/index.ts'
import { exitCodes, parseDuration } from '../../../kernel/index.ts'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { packsText } from './wording.ts'

export const repairPacksCommand = command('packs', 'save what is whole in damaged packs, and delete them', [
  ['holdfast --repo /mnt/nas/holdfast repair packs 3f2a91c0', 'a copy of the damaged pack is kept in the current folder'],
])
  .argument('<ids...>', 'packs that `check --read-data` found damaged')
  .option('--copies-to <folder>', 'where the copy of each pack is kept (default: the current folder)')
  .option('--retry-lock <duration>', 'wait so long for others that use the repository', parseDuration)
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (ids, { copiesTo = '.', retryLock, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const report = await repairPacks(
      { repository: target.repository, packs: ids, copiesTo, ...(retryLock !== undefined && { retryLockMs: retryLock }) },
      (event) => print.progress(event, () => `saving what is whole: ${event.done} of ${event.total} packs`),
      signal,
    )
    print.result(report, packsText)
    if (report.lost.length + report.unknown.length > 0) process.exitCode = exitCodes.partlyDone
  })
