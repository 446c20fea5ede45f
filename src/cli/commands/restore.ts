import { restoreSnapshot, type RestoreProgress, type RestoreSummary } from '../../backup/index.ts'
import { exitCodes, formatDuration, formatSize, shortId } from '../../kernel/index.ts'
import { openTargetRepository, recordEvidence } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'

export const restoreCommand = command('restore', 'bring the files of a snapshot back', [
  ['holdfast --repo /mnt/nas/holdfast restore latest --target /tmp/back', 'the newest snapshot'],
  ['holdfast --repo /mnt/nas/holdfast restore 1a2b3c4d --target /tmp/back --include /srv/data', 'one folder, at its full path'],
  [
    'holdfast --repo /mnt/nas/holdfast restore 1a2b3c4d:/srv/data --target /tmp/back',
    'what is in one folder, and nothing above it',
  ],
])
  .argument('<snapshot>', "'latest' or the beginning of an id, with :PATH behind it for a folder of it")
  .requiredOption('--target <dir>', 'where to: a new or empty directory')
  .option('--include <path>', 'only this path and what is below it; may be given again', collect)
  .option('--host <name>', 'for latest: of this host')
  .option('--path <path>', 'for latest: of this path; may be given again', collect)
  .option('--tag <tag>', 'for latest: with this tag; may be given again', collect)
  .option('--overwrite', 'restore into a directory that is not empty, replacing entries of the same name')
  .option('--skip-damaged', 'leave out files whose content is damaged instead of failing')
  .option('--verify', 'read every file back and compare it with the snapshot')
  .option('--no-lock', 'take no lock and leave no record: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (wanted, options, self) => {
    const { globals, print, signal } = contextOf(self)
    const { id, subtree } = parseSnapshot(wanted)
    await using opened = await openTargetRepository(globals, options.repository, signal)
    const { repository, catalog } = opened
    const { host, path: paths = [], tag: tags = [], include = [] } = options
    const snapshot = await repository.findSnapshot(id, { ...(host !== undefined && { host }), paths, tags }, signal)
    const summary = await restoreSnapshot(
      {
        repository,
        snapshot,
        target: options.target,
        ...(subtree !== undefined && { subtree }),
        ...(include.length > 0 && { include }),
        overwrite: options.overwrite ?? false,
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
    if (!options.lock) return
    const { sizeBytes, files, verifiedFiles, durationMs, skipped } = summary
    const body = {
      sizeBytes,
      files,
      verifiedFiles,
      durationMs,
      skipped: skipped.length,
      partial: subtree !== undefined || include.length > 0,
    }
    await recordEvidence(
      repository,
      'restore',
      { repository: options.repository ?? repository.location, snapshot: snapshot.id, ...body },
      catalog ? { catalogPath: catalog.file, catalogHash: catalog.hash } : {},
      signal,
    )
  })

function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value]
}

/** `ID` or `ID:PATH`. */
function parseSnapshot(text: string): { id: string; subtree?: string } {
  const colon = text.indexOf(':')
  return colon === -1 ? { id: text } : { id: text.slice(0, colon), subtree: text.slice(colon + 1) }
}

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
}: RestoreSummary): string {
  const others = specials > 0 ? `, ${specials} links and devices` : ''
  return [
    `restored   ${files} files, ${directories} folders${others}, ${formatSize(sizeBytes)} in ${formatDuration(durationMs)}`,
    ...(verifiedFiles > 0 ? [`verified   ${verifiedFiles} files read back and compared`] : []),
    ...(skipped.length > 0 ? [`not whole  ${skipped.length}: see above what is missing or differs`] : []),
    `snapshot ${shortId(snapshot)} is in ${target}`,
  ].join('\n')
}
