import { shortId } from '../../../kernel/index.ts'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { idByPrefix } from '../../id-by-prefix.ts'

export const keyRemoveCommand = command('remove', 'remove a password other than the one given', [
  ['holdfast --repo /mnt/nas/holdfast key remove 1a2b3c4d', 'by what `key list` shows'],
])
  .argument('<id>', 'the beginning of its id')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (id, { repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository } = target
    await using _lock = await repository.lock('exclusive', {}, signal)
    const ids = (await repository.keys.list(signal)).map((key) => key.id)
    const removed = idByPrefix(ids, id, 'key')
    await repository.keys.remove(removed, signal)
    const left = ids.length - 1
    print.result({ removed, left }, () => `key ${shortId(removed)} was removed; ${left === 1 ? '1 is' : `${left} are`} left`)
  })
