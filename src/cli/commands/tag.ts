import { shortId } from '../../kernel/index.ts'
import { selectSnapshots } from '../../repository/index.ts'
import { contextIn, openTargetRepository, tagAndRecord } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { collect, filterOf, hostOption, pathOption, splitTags, tagOption } from '../snapshot-options.ts'

export const tagCommand = command('tag', 'give snapshots other tags', [
  ['holdfast --repo /mnt/nas/holdfast tag --add before-upgrade latest', 'one more'],
  ['holdfast --repo /mnt/nas/holdfast tag --remove nightly --host db1', 'one less, in all snapshots of a host'],
  ["holdfast --repo /mnt/nas/holdfast tag --set '' 1a2b3c4d", 'none at all'],
])
  .argument('[snapshots...]', "'latest' or beginnings of ids (default: all that match the options)")
  .option('--add <tags>', 'tags to add, separated by commas; may be given again', collect)
  .option('--remove <tags>', 'tags to take away; may be given again', collect)
  .option('--set <tags>', 'these instead of all that there are; may be given again', collect)
  .addOption(hostOption)
  .addOption(pathOption)
  .addOption(tagOption)
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (ids, { add = [], remove = [], set, repository: name, ...choice }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository, catalog } = target
    const snapshots = await selectSnapshots(repository, { ids, filter: filterOf(choice) }, signal)
    const tags = { add: add.flatMap(splitTags), remove: remove.flatMap(splitTags), ...(set && { set: set.flatMap(splitTags) }) }
    const done = await tagAndRecord({ repository, snapshots, ...tags }, name ?? repository.location, contextIn(catalog), signal)
    const changed = done.map(({ before, after }) => ({ before: before.id, snapshot: after.id, tags: after.tags ?? [] }))
    print.result({ changed, unchanged: snapshots.length - done.length }, () =>
      [
        ...changed.map(
          ({ before, snapshot, tags }) => `${shortId(before)} is now ${shortId(snapshot)}: ${tags.join(', ') || 'no tags'}`,
        ),
        `${changed.length} of ${snapshots.length} snapshots were changed`,
      ].join('\n'),
    )
  })
