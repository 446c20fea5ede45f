import { Argument } from '@commander-js/extra-typings'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catKinds, readObject } from './read-object.ts'

export const catCommand = command('cat', 'show one object of a repository as it is stored, decrypted and verified', [
  ['holdfast --repo /mnt/nas/holdfast cat config', 'version, id and chunker polynomial'],
  ['holdfast --repo /mnt/nas/holdfast cat snapshot latest', "a snapshot's JSON"],
  ['holdfast --repo /mnt/nas/holdfast cat tree latest:/srv/data', "a folder's JSON"],
  ['holdfast --repo /mnt/nas/holdfast cat blob 1a2b… > file', 'the bytes of a blob'],
])
  .addArgument(new Argument('<kind>', 'what it is').choices(catKinds))
  .argument('[id]', 'the beginning of its id; for a snapshot also latest, for a tree also SNAPSHOT:PATH')
  .option('--no-lock', 'as restic’s; no lock is taken in any case')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (kind, id, { repository: name }, self) => {
    const { globals, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const bytes = await readObject(target.repository, kind, id, signal)
    // Bytes as they are, with --json too: what is stored is JSON already, or a file's content.
    await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()))
  })
