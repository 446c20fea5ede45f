import { Argument } from '@commander-js/extra-typings'
import { HoldfastError } from '../../kernel/index.ts'
import type { Repository } from '../../repository/index.ts'
import { openTargetRepository } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'

const kinds = ['config', 'snapshot', 'index', 'tree', 'blob'] as const
type CatKind = (typeof kinds)[number]

export const catCommand = command('cat', 'show one object of a repository as it is stored, decrypted and verified', [
  ['holdfast --repo /mnt/nas/holdfast cat config', 'version, id and chunker polynomial'],
  ['holdfast --repo /mnt/nas/holdfast cat snapshot latest', "a snapshot's JSON"],
  ['holdfast --repo /mnt/nas/holdfast cat blob 1a2b… > file', 'the bytes of a blob'],
])
  .addArgument(new Argument('<kind>', 'what it is').choices(kinds))
  .argument('[id]', 'its whole id; for a snapshot the beginning, or latest')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (kind, id, { repository: name }, self) => {
    const { globals, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const bytes = await read(target.repository, kind, id, signal)
    // Bytes as they are, with --json too: what is stored is JSON already, or a file's content.
    await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()))
  })

async function read(repository: Repository, kind: CatKind, id: string | undefined, signal: AbortSignal): Promise<Uint8Array> {
  if (kind === 'config') {
    const { version, id, chunkerPolynomial } = repository.config
    return line({ version, id, chunker_polynomial: chunkerPolynomial.toString(16) })
  }
  if (id === undefined)
    throw new HoldfastError('usage', { message: `which ${kind} is not said`, hint: `give its id: cat ${kind} ID` })
  if (kind === 'snapshot') {
    const { raw } = await repository.findSnapshot(id, {}, signal)
    return Buffer.concat([raw, Buffer.from('\n')])
  }
  if (!/^[0-9a-f]{64}$/.test(id))
    throw new HoldfastError('usage', { message: `'${id}' is not the id of a ${kind}`, hint: 'give all of its 64 hex digits' })
  if (kind === 'index') return line({ packs: await repository.readIndex(id, signal) })
  return repository.readBlob(kind === 'tree' ? 'tree' : 'data', id, signal)
}

function line(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}
