import { exitCodes, formatSize, shortId } from '../../kernel/index.ts'
import { isFutureDated, matchesFilter, type Snapshot } from '../../repository/index.ts'
import { openTargetRepository } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { table, type Column } from '../output/table.ts'
import { filterOf, hostOption, pathOption, tagOption } from '../snapshot-options.ts'
import { localTime } from '../output/time.ts'
import { counted } from '../output/counted.ts'

export const snapshotsCommand = command('snapshots', 'list the states that can be restored', [
  ['holdfast --repo /mnt/nas/holdfast snapshots', 'everything in it'],
  ['holdfast snapshots --service orders-db', 'the states that orders-db can return to'],
])
  .option('--service <name>', 'only of this service of the catalog')
  .addOption(hostOption)
  .addOption(pathOption)
  .addOption(tagOption)
  .option('--no-lock', 'take no lock: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async ({ service, lock, repository: name, ...choice }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository } = target
    await using _lock = lock ? await repository.lock('shared', {}, signal) : undefined
    const filter = { ...filterOf(choice), ...(service !== undefined && { tags: [`service:${service}`] }) }
    const damaged: string[] = []
    const all = await repository.snapshots(signal, (_id, error) => damaged.push(error.message))
    const found = all.filter((snapshot) => matchesFilter(snapshot, filter))
    print.result({ repository: repository.id, location: repository.location, snapshots: found.map(asJson), damaged }, () =>
      snapshotsText(found, all.length),
    )
    // What can be read is shown; a list with holes must not pass for the whole.
    for (const message of damaged) print.note(`not in this list: ${message}`)
    if (damaged.length > 0) process.exitCode = exitCodes.failed
    for (const snapshot of found)
      if (isFutureDated(snapshot, Date.now()))
        print.note(
          `snapshot ${shortId(snapshot.id)} is dated in the future: the clock of ${snapshot.hostname ?? 'its host'} ran ahead`,
        )
  })

function asJson({ raw: _raw, timeMs: _timeMs, ...snapshot }: Snapshot) {
  return { ...snapshot, shortId: shortId(snapshot.id) }
}

const columns: readonly Column<Snapshot>[] = [
  { title: 'ID', value: ({ id }) => shortId(id) },
  { title: 'Time', value: ({ timeMs }) => localTime(timeMs) },
  { title: 'Host', value: ({ hostname }) => hostname ?? '' },
  { title: 'Size', align: 'right', value: ({ summary }) => (summary ? formatSize(summary.total_bytes_processed) : '') },
  { title: 'Tags', value: ({ tags = [] }) => tags.join(', ') },
  { title: 'Paths', value: ({ paths }) => paths.join(', ') },
]

function snapshotsText(found: readonly Snapshot[], total: number): string {
  if (total === 0) return 'the repository holds no snapshot yet'
  if (found.length === 0) return `none of ${total} snapshots matches`
  return `${table(columns, found)}\n${counted(found.length, 'snapshot')}`
}
