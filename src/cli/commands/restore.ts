import { Option } from '@commander-js/extra-typings'
import { overwriteModes, restoreSnapshot, type RestoreProgress, type RestoreSummary } from '../../backup/index.ts'
import { exitCodes, formatDuration, formatSize, shortId } from '../../kernel/index.ts'
import { contextIn, openTargetRepository, recordEvidence } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { collect, filterOf, hostOption, pathOption, splitSnapshot, tagOption } from '../snapshot-options.ts'

export const restoreCommand = command('restore', 'bring the files of a snapshot back', [
  ['holdfast --repo /mnt/nas/holdfast restore latest --target /tmp/back', 'the newest snapshot'],
  ['holdfast --repo /mnt/nas/holdfast restore 1a2b3c4d --target /tmp/back --include /srv/data', 'one folder, at its full path'],
  [
    'holdfast --repo /mnt/nas/holdfast restore 1a2b3c4d:/srv/data --target /tmp/back',
    'what is in one folder, and nothing above it',
  ],
])
  .argument('<snapshot>', "'latest' or the beginning of an id, with :PATH behind it for a folder of it")
  .requiredOption('-t, --target <dir>', 'where to: a new or empty directory')
  .option('-i, --include <pattern>', 'only what matches, and what is in it; may be given again', collect)
  .option('--iinclude <pattern>', 'the same, with upper and lower case alike', collect)
  .option('-e, --exclude <pattern>', 'not what matches; may be given again', collect)
  .option('--iexclude <pattern>', 'the same, with upper and lower case alike', collect)
  .addOption(hostOption)
  .addOption(pathOption)
  .addOption(tagOption)
  .addOption(
    new Option('--overwrite [mode]', 'restore into a directory that is not empty; what differs is written (always)')
      .choices(overwriteModes)
      .preset('always' as const),
  )
  .option('--delete', 'with --overwrite: remove what the snapshot does not have')
  .option('-n, --dry-run', 'show what would be written and removed, and do neither')
  .option('--skip-damaged', 'leave out files whose content is damaged instead of failing')
  .option('--sparse', 'write no blocks of zeros: they become holes')
  .option('--verify', 'read every file back and compare it with the snapshot')
  .option('--no-lock', 'take no lock and leave no record: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (wanted, options, self) => {
    const { globals, print, signal } = contextOf(self)
    const { id, subtree } = splitSnapshot(wanted)
    await using opened = await openTargetRepository(globals, options.repository, signal)
    const { repository, catalog } = opened
    const { include = [], iinclude = [], exclude = [], iexclude = [] } = options
    const snapshot = await repository.findSnapshot(id, filterOf(options), signal)
    const summary = await restoreSnapshot(
      {
        repository,
        snapshot,
        target: options.target,
        ...(subtree !== undefined && { subtree }),
        include,
        iinclude,
        exclude,
        iexclude,
        overwrite: options.overwrite ?? false,
        deleteExtra: options.delete ?? false,
        sparse: options.sparse ?? false,
        dryRun: options.dryRun ?? false,
        skipDamaged: options.skipDamaged ?? false,
        verify: options.verify ?? false,
        noLock: !options.lock,
      },
      (event) => print.progress(event, () => progressText(event)),
      signal,
    )
    print.result(summary, summaryText)
    if (summary.skipped.length > 0) {
      if (!print.json)
        for (const { path, reason } of summary.skipped) print.note(`not as it was: ${JSON.stringify(path)}: ${reason}`)
      process.exitCode = exitCodes.partlyDone
    }
    // A dry run restored nothing.
    if (!options.lock || options.dryRun) return
    const { sizeBytes, files, verifiedFiles, durationMs, skipped } = summary
    const body = {
      sizeBytes,
      files,
      verifiedFiles,
      durationMs,
      skipped: skipped.length,
      partial: subtree !== undefined || [include, iinclude, exclude, iexclude].some((patterns) => patterns.length > 0),
    }
    await recordEvidence(
      repository,
      'restore',
      { repository: options.repository ?? repository.location, snapshot: snapshot.id, ...body },
      contextIn(catalog),
      signal,
    )
  })

function progressText({ filesDone, filesTotal, bytesDone, bytesTotal, etaMs }: RestoreProgress): string {
  const left = etaMs === undefined || etaMs < 1000 ? '' : `, ${formatDuration(etaMs)} left`
  const percent = bytesTotal > 0 ? `${Math.floor((bytesDone / bytesTotal) * 100)} %  ` : ''
  return `${percent}${filesDone} of ${filesTotal} files, ${formatSize(bytesDone)} of ${formatSize(bytesTotal)}${left}`
}

function summaryText({
  snapshot,
  target,
  files,
  verifiedFiles,
  directories,
  specials,
  sizeBytes,
  durationMs,
  skipped,
  unchangedFiles,
  patchedFiles,
  keptBytes,
  untouched,
  deleted,
  wouldWrite,
}: RestoreSummary): string {
  if (wouldWrite !== undefined)
    return [
      ...wouldWrite.map((path) => `would write   ${path}`),
      ...deleted.map((path) => `would remove  ${path}`),
      ...(patchedFiles > 0 ? [`${patchedFiles} of them in part: ${formatSize(keptBytes)} are right already`] : []),
      `${wouldWrite.length} to write (${formatSize(sizeBytes)}), ${deleted.length} to remove, ${unchangedFiles} unchanged, ${untouched} left as they are: a dry run`,
    ].join('\n')
  const others = specials > 0 ? `, ${specials} links and devices` : ''
  return [
    `restored   ${files} files, ${directories} folders${others}, ${formatSize(sizeBytes)} in ${formatDuration(durationMs)}`,
    ...(unchangedFiles > 0 ? [`unchanged  ${unchangedFiles} files: their content was right already`] : []),
    ...(patchedFiles > 0 ? [`patched    ${patchedFiles} files: ${formatSize(keptBytes)} of them were right already`] : []),
    ...(untouched > 0 ? [`untouched  ${untouched} entries, left as they are`] : []),
    ...(deleted.length > 0 ? [`removed    ${deleted.length} entries that the snapshot does not have`] : []),
    ...(verifiedFiles > 0 ? [`verified   ${verifiedFiles} files read back and compared`] : []),
    ...(skipped.length > 0 ? [`not whole  ${skipped.length}: see above what is missing or differs`] : []),
    `snapshot ${shortId(snapshot)} is in ${target}`,
  ].join('\n')
}
