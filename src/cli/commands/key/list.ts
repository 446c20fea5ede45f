import { printableName, shortId } from '../../../kernel/index.ts'
import type { RepositoryKey } from '../../../repository/index.ts'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { localTime } from '../../output/time.ts'
import { table, type Column } from '../../output/table.ts'

export const keyListCommand = command('list', 'list the keys: one for each password', [
  ['holdfast --repo /mnt/nas/holdfast key list', 'the one in use is marked'],
])
  .option('--no-lock', 'take no lock: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async ({ lock, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository } = target
    await using _lock = lock ? await repository.lock('shared', {}, signal) : undefined
    const keys = await repository.keys.list(signal)
    print.result({ repository: repository.id, keys }, () => table(columns, keys))
  })

const columns: readonly Column<RepositoryKey>[] = [
  { title: '', value: ({ current }) => (current ? '*' : '') },
  { title: 'ID', value: ({ id }) => shortId(id) },
  { title: 'User', value: ({ username = '' }) => printableName(username) },
  { title: 'Host', value: ({ hostname = '' }) => printableName(hostname) },
  { title: 'Created', value: ({ created = '' }) => (Number.isNaN(Date.parse(created)) ? '' : localTime(Date.parse(created))) },
]
