import { EntryFinder, type ListedNode } from '../../../backup/index.ts'
import { exitCodes, HoldfastError, shortId } from '../../../kernel/index.ts'
import { selectSnapshots, type Snapshot } from '../../../repository/index.ts'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { longLine, nodeJson, shortLine } from '../../output/node-line.ts'
import { localTime } from '../../output/time.ts'
import { parseTimeArgument } from '../../parse-time.ts'
import { collect, filterOf, hostOption, pathOption, tagOption } from '../../snapshot-options.ts'
import { findObjects } from './objects.ts'

export const findCommand = command('find', 'look for files in all snapshots', [
  ["holdfast --repo /mnt/nas/holdfast find 'report*.pdf' -i", 'every version of it that there is'],
  ["holdfast --repo /mnt/nas/holdfast find /srv/data/orders.csv --oldest '2026-11-01' --long", 'one file, as it was since then'],
  ['holdfast --repo /mnt/nas/holdfast find --pack 025c1d06', 'what a damaged pack holds'],
])
  .argument('<patterns...>', 'as for --exclude of backup; or the beginnings of ids')
  .option('-i, --ignore-case', 'upper and lower case are the same')
  .option('-N, --newest <time>', 'modified at this time or before', parseTimeArgument)
  .option('-O, --oldest <time>', 'modified at this time or later', parseTimeArgument)
  .option('-s, --snapshot <id>', 'only in this snapshot; may be given again', collect)
  .option('-l, --long', 'modes, owners, sizes and times too')
  .option('--human-readable', 'with --long: sizes with their units')
  .option('--blob', 'the patterns are ids of content')
  .option('--tree', 'the patterns are ids of trees')
  .option('--pack', 'the patterns are ids of packs: what is in them')
  .option('--show-pack-id', 'with --blob, --tree or --pack: the packs that hold what is found')
  .addOption(hostOption)
  .addOption(pathOption)
  .addOption(tagOption)
  .option('--no-lock', 'take no lock: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (patterns, options, self) => {
    const { globals, print, signal } = contextOf(self)
    const kinds = (['blob', 'tree', 'pack'] as const).filter((kind) => options[kind])
    if (kinds.length > 1) throw new HoldfastError('usage', { message: `give one of --${kinds.join(' and --')}, not both` })
    await using target = await openTargetRepository(globals, options.repository, signal)
    const { repository } = target
    await using _lock = options.lock ? await repository.lock('shared', {}, signal) : undefined
    const selection = { ids: options.snapshot ?? [], filter: filterOf(options) }
    // The newest first: it is what one looks for.
    const snapshots = (await selectSnapshots(repository, selection, signal)).toSorted((a, b) => b.timeMs - a.timeMs)
    const [kind] = kinds
    if (kind !== undefined) {
      const showPacks = options.showPackId ?? false
      await findObjects({ repository, snapshots, kind, prefixes: patterns, showPacks }, print, signal)
      return
    }
    const { ignoreCase = false, newest, oldest, long = false, humanReadable = false } = options
    const finder = new EntryFinder(
      repository,
      { patterns, ignoreCase, ...(newest !== undefined && { newest }), ...(oldest !== undefined && { oldest }) },
      signal,
    )
    const found: { snapshot: Snapshot; matches: ListedNode[] }[] = []
    for (const snapshot of snapshots) {
      const matches: ListedNode[] = []
      await finder.search(snapshot, {
        found: (entry) => void matches.push(entry),
        damaged(folder, { message }) {
          print.note(`not searched: ${folder.toString()}/ of snapshot ${shortId(snapshot.id)}: ${message}`)
          process.exitCode = exitCodes.partlyDone
        },
      })
      if (matches.length === 0) continue
      if (print.json) found.push({ snapshot, matches })
      else
        print.result(matches, () =>
          matchesText(snapshot, matches, (entry) => (long ? longLine(entry, humanReadable) : shortLine(entry))),
        )
    }
    if (print.json) print.result({ searched: snapshots.length, snapshots: found.map(foundJson) }, () => '')
  })

function matchesText(snapshot: Snapshot, matches: readonly ListedNode[], line: (entry: ListedNode) => string): string {
  const { id, timeMs, hostname = '' } = snapshot
  return [`snapshot ${shortId(id)} of ${localTime(timeMs)}, ${hostname}:`, ...matches.map(line), ''].join('\n')
}

function foundJson({ snapshot, matches }: { snapshot: Snapshot; matches: readonly ListedNode[] }) {
  const { id, time, hostname } = snapshot
  return { snapshot: id, time, hostname, matches: matches.map(nodeJson) }
}
