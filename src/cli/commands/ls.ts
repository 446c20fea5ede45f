import { listTree } from '../../backup/index.ts'
import { openTargetRepository } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { longLine, nodeJson, shortLine } from '../output/node-line.ts'
import { filterOf, hostOption, pathOption, splitSnapshot, tagOption } from '../snapshot-options.ts'

/** Lines written at a time: a snapshot may have millions. */
const batch = 1000

export const lsCommand = command('ls', 'list what is in a snapshot', [
  ['holdfast --repo /mnt/nas/holdfast ls latest', 'everything'],
  ['holdfast --repo /mnt/nas/holdfast ls 1a2b3c4d /srv/data --long', 'one folder, with modes, owners, sizes and times'],
])
  .argument('<snapshot>', "'latest' or the beginning of an id, with :PATH behind it for a folder of it")
  .argument('[paths...]', 'files or folders in it')
  .option('-l, --long', 'modes, owners, sizes and times too')
  .option('--human-readable', 'with --long: sizes with their units')
  .option('--recursive', 'with a path: the folders below it too')
  .addOption(hostOption)
  .addOption(pathOption)
  .addOption(tagOption)
  .option('--no-lock', 'take no lock: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (wanted, paths, options, self) => {
    const { long = false, humanReadable = false, recursive = false, lock, repository: name } = options
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository } = target
    await using _lock = lock ? await repository.lock('shared', {}, signal) : undefined
    const { id, subtree } = splitSnapshot(wanted)
    const snapshot = await repository.findSnapshot(id, filterOf(options), signal)
    const entries = async function* () {
      for (const path of paths.length === 0 ? [undefined] : paths) {
        const within = subtree === undefined ? path : `${subtree}/${path ?? ''}`
        yield* listTree(
          { repository, snapshot, recursive: recursive || path === undefined, ...(within !== undefined && { path: within }) },
          signal,
        )
      }
    }
    if (print.json) {
      const nodes = await Array.fromAsync(entries(), nodeJson)
      print.result({ snapshot: snapshot.id, nodes }, () => '')
      return
    }
    let lines: string[] = []
    const flush = () => {
      print.result(lines, (text) => text.join('\n'))
      lines = []
    }
    for await (const entry of entries()) {
      lines.push(long ? longLine(entry, humanReadable) : shortLine(entry))
      if (lines.length === batch) flush()
    }
    flush()
  })
