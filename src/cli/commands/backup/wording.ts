import type { ArchiveProgress, BackupSummary, Skipped } from '../../../backup/index.ts'
import { exitCodes, formatDuration, formatSize, isHoldfastError, messageOf, shortId } from '../../../kernel/index.ts'
import type { FailedCopy } from '../../../service/index.ts'
import type { Printer } from '../../output/printer.ts'

export function failureJson({ error, ...part }: FailedCopy): object {
  const { code, hint } = isHoldfastError(error) ? error : { code: 'internal', hint: undefined }
  return { ...part, error: { code, message: messageOf(error), ...(hint === undefined ? {} : { hint }) } }
}

/** This snapshot is whole; of older ones nobody knows, and whoever reads nothing but exit codes must learn of it. */
export function noteLost({ lostPacks }: BackupSummary, print: Printer): void {
  if (lostPacks.length === 0) return
  print.note(
    `${lostPacks.length === 1 ? 'a pack' : `${lostPacks.length} packs`} of the repository, missing or cut short, went unused: what of it is still in the source was stored again. Run \`holdfast check\` to see which snapshots are affected`,
  )
  process.exitCode = exitCodes.partlyDone
}

/** Not complete is not done: each entry is named, and the exit code says so. */
export function noteSkipped(skipped: readonly Skipped[], print: Printer): void {
  if (skipped.length === 0) return
  if (!print.json) for (const { path, reason } of skipped) print.note(`skipped ${JSON.stringify(path)}: ${reason}`)
  process.exitCode = exitCodes.partlyDone
}

export function progressText({ filesDone, filesTotal, bytesDone, bytesTotal, etaMs, current }: ArchiveProgress): string {
  const of = (total: string | undefined) => (total === undefined ? '' : ` of ${total}`)
  const percent = bytesTotal ? `${Math.min(100, Math.floor((bytesDone / bytesTotal) * 100))} %  ` : ''
  const left = etaMs === undefined || etaMs < 1000 ? '' : `, ${formatDuration(etaMs)} left`
  const files = `${filesDone}${of(filesTotal?.toString())} files`
  const bytes = `${formatSize(bytesDone)}${of(bytesTotal === undefined ? undefined : formatSize(bytesTotal))}`
  // A file name may hold anything, control sequences too.
  return `${percent}${files}, ${bytes}${left}${current === undefined ? '' : `  ${JSON.stringify(current).slice(1, -1)}`}`
}

export function summaryText(summary: BackupSummary, what: string): string {
  const { snapshot, skipped, durationMs } = summary
  const nothing = summary.unchanged
    ? `nothing of ${what} has changed since snapshot ${shortId(summary.parent ?? '')}: no snapshot was written`
    : `nothing was stored of ${what}: a dry run`
  const saved = snapshot === undefined ? nothing : `snapshot ${shortId(snapshot)} of ${what} saved`
  return [
    `files      ${summary.filesNew} new, ${summary.filesChanged} changed, ${summary.filesUnmodified} unmodified`,
    `folders    ${summary.dirsNew} new, ${summary.dirsChanged} changed, ${summary.dirsUnmodified} unmodified`,
    `added      ${formatSize(summary.addedBytes)}, stored in ${formatSize(summary.addedStoredBytes)}`,
    `processed  ${summary.totalFilesProcessed} files, ${formatSize(summary.totalBytesProcessed)} in ${formatDuration(durationMs)}`,
    ...(skipped.length > 0 ? [`skipped    ${skipped.length}, so the snapshot is not complete`] : []),
    saved,
  ].join('\n')
}
