import { Option } from '@commander-js/extra-typings'
import { dump } from '../../backup/index.ts'
import { exitCodes, formatSize, HoldfastError } from '../../kernel/index.ts'
import { openTargetRepository } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { filterOf, hostOption, pathOption, splitSnapshot, tagOption } from '../snapshot-options.ts'

export const dumpCommand = command('dump', 'print a file of a snapshot, or a folder as an archive', [
  ['holdfast --repo /mnt/nas/holdfast dump latest /srv/data/orders.csv > orders.csv', 'a file'],
  ['holdfast --repo /mnt/nas/holdfast dump latest /srv/data | tar -xC /tmp/back', 'a folder, without a restore in between'],
  [
    'holdfast --repo /mnt/nas/holdfast dump latest:/srv data --archive zip --output data.zip',
    'a zip, its names from the folder on',
  ],
])
  .argument('<snapshot>', "'latest' or the beginning of an id, with :PATH behind it for a folder of it")
  .argument('<path>', 'a file or folder in it; / for everything')
  .addOption(
    new Option('-a, --archive <format>', 'how a folder is written').choices(['tar', 'zip'] as const).default('tar' as const),
  )
  .option('-o, --output <file>', 'write to this file, which is there only when it is whole')
  .option('-t, --target <file>', 'the same: its name in restic')
  .addOption(hostOption)
  .addOption(pathOption)
  .addOption(tagOption)
  .option('--no-lock', 'take no lock: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (wanted, path, options, self) => {
    const { globals, print, signal } = contextOf(self)
    const output = options.output ?? options.target
    if (output === undefined && process.stdout.isTTY && options.archive === 'zip')
      throw new HoldfastError('usage', { message: 'a terminal cannot show an archive', hint: 'give --output FILE, or a pipe' })
    await using target = await openTargetRepository(globals, options.repository, signal)
    const { repository } = target
    await using _lock = options.lock ? await repository.lock('shared', {}, signal) : undefined
    const { id, subtree } = splitSnapshot(wanted)
    const snapshot = await repository.findSnapshot(id, filterOf(options), signal)
    const job = { repository, snapshot, path, archive: options.archive, ...(subtree !== undefined && { root: subtree }) }
    const { skipped, ...dumped } = await dump(job, output ?? process.stdout, signal)
    // stdout is the content, where no file was named.
    if (output !== undefined)
      print.result(
        { snapshot: snapshot.id, path, output, ...dumped, skipped },
        () => `${formatSize(dumped.sizeBytes)} of ${path} are in ${output}`,
      )
    for (const { path, reason } of skipped) print.note(`not as it was: ${JSON.stringify(path)}: ${reason}`)
    if (skipped.length > 0) process.exitCode = exitCodes.partlyDone
  })
