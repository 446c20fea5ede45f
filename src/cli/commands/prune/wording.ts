import type { Amount, PruneProgress, PruneReport } from '../../../backup/index.ts'
import { formatDuration, formatSize } from '../../../kernel/index.ts'
import { counted } from '../../output/counted.ts'

const phases: Readonly<Record<PruneProgress['phase'], string>> = {
  snapshots: 'looking through snapshots',
  blobs: 'moving what is used',
  indexes: 'writing indexes',
  packs: 'deleting packs',
}

export function progressText({ phase, done, total, bytesDone, bytesTotal, etaMs }: PruneProgress): string {
  const bytes =
    bytesDone === undefined || bytesTotal === undefined ? '' : `, ${formatSize(bytesDone)} of ${formatSize(bytesTotal)}`
  const left = etaMs === undefined || etaMs < 1000 ? '' : `, ${formatDuration(etaMs)} left`
  return `${phases[phase]}: ${done} of ${total}${bytes}${left}`
}

export function pruneText(report: PruneReport): string {
  const { dryRun, used, unused, keptPacks, removedPacks, repackedPacks, moved, unindexedPacks, leftovers, lostPacks } = report
  const share = used.bytes + unused.bytes === 0 ? 0 : (100 * unused.bytes) / (used.bytes + unused.bytes)
  const lines = [
    `used       ${amount(used, 'blob')} in ${counted(report.snapshots, 'snapshot')}`,
    `unused     ${amount(unused, 'blob')}, ${share.toFixed(1)} %`,
    `packs      ${amount(keptPacks, 'pack')} stay, ${amount(removedPacks, 'pack')} not needed at all`,
    ...(repackedPacks.count > 0 ? [`repacked   ${amount(repackedPacks, 'pack')}, ${amount(moved, 'blob')} moved from them`] : []),
    ...(unindexedPacks.count > 0 ? [`residue    ${amount(unindexedPacks, 'pack')} that no index names`] : []),
    ...(leftovers.count > 0 ? [`temporary  ${amount(leftovers, 'file')} of processes that died`] : []),
    ...(lostPacks.length > 0
      ? [`lost       ${counted(lostPacks.length, 'pack')} missing or cut short, of which nothing is needed`]
      : []),
  ]
  const freed = `${formatSize(Math.max(0, report.freedBytes))}, leaving ${formatSize(report.unusedAfterBytes)} unused`
  return [...lines, dryRun ? `would free ${freed}; nothing was changed: a dry run` : `freed      ${freed}`].join('\n')
}

function amount({ count: number, bytes }: Amount, what: string): string {
  return `${counted(number, what)} (${formatSize(bytes)})`
}
