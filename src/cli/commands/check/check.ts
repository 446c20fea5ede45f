import { checkRepository } from '../../../backup/index.ts'
import { exitCodes } from '../../../kernel/index.ts'
import { checkAndRecord, contextIn, openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { progressText, reportText } from './wording.ts'

export const checkCommand = command('check', 'look whether all that a repository promises is there', [
  ['holdfast --repo /mnt/nas/holdfast check', 'names, sizes and references: minutes'],
  ['holdfast --repo /mnt/nas/holdfast check --read-data', 'every byte too: as long as reading it all takes'],
])
  .option('--read-data', 'read and verify every byte')
  .option('--no-record', 'leave no record in the ledger: for a look by the way')
  .option('--no-lock', 'take no lock and leave no record: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async ({ readData = false, record, lock, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository, catalog } = target
    const progress = (event: Parameters<typeof progressText>[0]) => print.progress(event, () => progressText(event))
    const context = contextIn(catalog)
    const report =
      record && lock
        ? await checkAndRecord({ repository, name: name ?? repository.location, readData }, context, progress, signal)
        : await checkRepository({ repository, readData, noLock: !lock }, progress, signal)
    print.result(report, reportText)
    if (!report.ok) process.exitCode = exitCodes.failed
  })
