import type { CopyProgress, CopySummary } from '../../../backup/index.ts'
import { exitCodes, formatDuration, formatSize, shortId } from '../../../kernel/index.ts'
import type { Snapshot } from '../../../repository/index.ts'
import { localTime } from '../../output/time.ts'
import type { Printer } from '../../output/printer.ts'

export function progressText(event: CopyProgress): string {
  const { phase, snapshotsDone, snapshotsTotal, bytesDone = 0, bytesTotal = 0, etaMs } = event
  if (phase === 'plan') return `looking at what is missing: ${snapshotsDone} of ${snapshotsTotal} snapshots`
  const percent = bytesTotal > 0 ? `${Math.min(100, Math.floor((bytesDone / bytesTotal) * 100))} %  ` : ''
  const left = etaMs === undefined || etaMs < 1000 ? '' : `, ${formatDuration(etaMs)} left`
  return `${percent}${snapshotsDone} of ${snapshotsTotal} snapshots, ${formatSize(bytesDone)} of ${formatSize(bytesTotal)}${left}`
}

/** What `copy --json` prints. */
export function asJson({ copied, alreadyThere, failed, ...summary }: CopySummary) {
  return {
    ...summary,
    copied: copied.map(({ snapshot, source }) => ({ ...(snapshot !== undefined && { snapshot }), ...sourceJson(source) })),
    alreadyThere: alreadyThere.map(({ snapshot, source }) => ({ snapshot, ...sourceJson(source) })),
    failed: failed.map(({ source, error: { code, message } }) => ({ ...sourceJson(source), error: { code, message } })),
  }
}

function sourceJson({ id, time, hostname, paths }: Snapshot) {
  return { source: id, time, hostname, paths }
}

export function summaryText(summary: CopySummary, dryRun: boolean): string {
  const { copied, alreadyThere, failed, dataBlobs, treeBlobs, copiedBytes, storedBytes, durationMs, sameChunker, to } = summary
  const lines = copied.map(({ snapshot, source }) => {
    const what = `${shortId(source.id)} of ${localTime(source.timeMs)}, ${source.hostname ?? ''}: ${source.paths.join(', ')}`
    return snapshot === undefined ? `would copy ${what}` : `copied ${what} as ${shortId(snapshot)}`
  })
  const moved = `${dataBlobs + treeBlobs} blobs, ${formatSize(copiedBytes)}, stored in ${formatSize(storedBytes)}`
  return [
    ...lines,
    `${dryRun ? 'to move' : 'moved'}    ${moved}`,
    ...(sameChunker
      ? []
      : [
          'note     both repositories cut content differently: what is also backed up directly to this one is stored twice in it',
        ]),
    `${copied.length} ${dryRun ? 'to copy' : 'copied'}, ${alreadyThere.length} already there, ${failed.length} damaged: ${to} in ${formatDuration(durationMs)}`,
  ].join('\n')
}

/** What is damaged in the source has no copy: that is only partly done. */
export function noteFailed({ failed }: CopySummary, print: Printer): void {
  if (failed.length === 0) return
  if (!print.json)
    for (const { source, error } of failed) print.note(`not copied: snapshot ${shortId(source.id)}: ${error.message}`)
  process.exitCode = exitCodes.partlyDone
}
