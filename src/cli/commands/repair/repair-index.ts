import { repairIndex } from '../../../backup/index.ts'
import { exitCodes, parseDuration } from '../../../kernel/index.ts'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { indexText } from './wording.ts'

export const repairIndexCommand = command('index', 'make the index say what the packs say', [
  ['holdfast --repo /mnt/nas/holdfast repair index', 'packs that are not named, wrong or gone; indexes that cannot be read'],
  ['holdfast --repo /mnt/nas/holdfast repair index --read-all-packs', 'believe no index: read the header of every pack'],
])
  .option('--read-all-packs', 'read the header of every pack')
  .option('--retry-lock <duration>', 'wait so long for others that use the repository', parseDuration)
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async ({ readAllPacks, retryLock, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const report = await repairIndex(
      {
        repository: target.repository,
        ...(readAllPacks && { readAllPacks }),
        ...(retryLock !== undefined && { retryLockMs: retryLock }),
      },
      (event) =>
        print.progress(
          event,
          () => `${event.phase === 'packs' ? 'reading headers of packs' : 'writing indexes'}: ${event.done} of ${event.total}`,
        ),
      signal,
    )
    print.result(report, indexText)
    if (report.missingPacks.length + report.damagedPacks.length > 0) process.exitCode = exitCodes.partlyDone
  })
