import { HoldfastError, shortId } from '../../kernel/index.ts'
import { createRepositoryAt } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'

export const initCommand = command('init', 'make a repository', [
  ['holdfast --repo /mnt/nas/holdfast --password-file /etc/holdfast/password init', 'a new repository there'],
]).action(async (_options, self) => {
  const { globals, print, signal } = contextOf(self)
  const { repo } = globals
  if (repo === undefined)
    throw new HoldfastError('usage', {
      message: 'where the repository is to be made is not said',
      hint: 'give --repo PATH and --password-file FILE',
    })
  await using repository = await createRepositoryAt({ ...globals, repo }, signal)
  const { id, location, config } = repository
  print.result({ repository: id, location, version: config.version }, () =>
    [
      `repository ${shortId(id)} made at ${location}`,
      'without its password nothing in it can be read: keep the password in a second place too',
    ].join('\n'),
  )
})
