import { Option } from '@commander-js/extra-typings'
import { exitCodes, parseDuration } from '../../../kernel/index.ts'
import { attest, loadRunCatalog } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'

export const checklistAttestCommand = command('attest', 'put on record what only a person can say, and until when it counts', [
  ['holdfast checklist attest training --by "Ann Lee"', 'it counts for a year'],
  [
    'holdfast checklist attest contacts-reached --by ann --expires 90d --note "all but the night shift"',
    'for a quarter, with what is to be known',
  ],
  ['holdfast checklist attest objectives-agreed --by cfo --service orders-db', 'of one service'],
])
  .argument('<item>', 'the item of the checklist, as `holdfast checklist` names it')
  .requiredOption('--by <name>', 'whose word it is')
  .addOption(
    new Option('--expires <duration>', 'how long it counts').argParser(parseDuration).default(parseDuration('365d'), '365d'),
  )
  .option('--note <text>', 'what is to be known of it')
  .option('--service <name>', 'only of this service')
  .action(async (item, { by, expires, note, service }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const attested = await attest(catalog, { item, by, forMs: expires, note, service }, signal)
    for (const { repository, because } of attested.failed) print.note(`it is not in the ledger of ${repository}: ${because}`)
    print.result(attested, () => `${item} by the word of ${by}, until ${attested.expiresAt.slice(0, 10)}`)
    if (attested.failed.length > 0) process.exitCode = exitCodes.partlyDone
  })
