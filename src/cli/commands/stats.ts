import { Option } from '@commander-js/extra-typings'
import { readStats, statsModes, type Stats } from '../../backup/index.ts'
import { formatSize } from '../../kernel/index.ts'
import { selectSnapshots } from '../../repository/index.ts'
import { openTargetRepository } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { filterOf, hostOption, pathOption, tagOption } from '../snapshot-options.ts'

export const statsCommand = command('stats', 'count what snapshots hold', [
  ['holdfast --repo /mnt/nas/holdfast stats latest', 'what a restore would write'],
  ['holdfast --repo /mnt/nas/holdfast stats --mode raw-data', 'what all snapshots take together, and how well it compresses'],
])
  .argument('[snapshots...]', "'latest' or beginnings of ids (default: all that match the options)")
  .addOption(new Option('--mode <mode>', 'what is counted').choices(statsModes).default('restore-size' as const))
  .addOption(hostOption)
  .addOption(pathOption)
  .addOption(tagOption)
  .option('--no-lock', 'take no lock: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (ids, { mode, lock, repository: name, ...choice }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository } = target
    await using _lock = lock ? await repository.lock('shared', {}, signal) : undefined
    const snapshots = await selectSnapshots(repository, { ids, filter: filterOf(choice) }, signal)
    const stats = await readStats(
      repository,
      { snapshots, mode },
      (event) => print.progress(event, () => `${event.snapshotsDone} of ${event.snapshotsTotal} snapshots counted`),
      signal,
    )
    print.result(withRatio(stats), statsText)
  })

/** How much smaller blobs are stored than they are. */
function withRatio(stats: Stats): Stats & { readonly compressionRatio?: number } {
  const { uncompressedBytes, sizeBytes } = stats
  return uncompressedBytes === undefined || sizeBytes === 0
    ? stats
    : { ...stats, compressionRatio: Number((uncompressedBytes / sizeBytes).toFixed(3)) }
}

function statsText(stats: Stats & { readonly compressionRatio?: number }): string {
  const { mode, snapshots, sizeBytes, files, folders, others, blobs, uncompressedBytes, compressedBlobs, compressionRatio } =
    stats
  const line = (title: string, value: string) => `${title.padEnd(12)}${value}`
  const number = (title: string, value: number | undefined) => (value === undefined ? [] : [line(title, value.toString())])
  return [
    line('mode', mode),
    ...number('snapshots', snapshots),
    ...number('files', files),
    ...number('folders', folders),
    ...number('others', others),
    ...number('blobs', blobs),
    ...number('compressed', compressedBlobs),
    ...(uncompressedBytes === undefined ? [] : [line('plain', formatSize(uncompressedBytes))]),
    line('size', formatSize(sizeBytes)),
    ...(compressionRatio === undefined ? [] : [line('ratio', `${compressionRatio} : 1`)]),
  ].join('\n')
}
