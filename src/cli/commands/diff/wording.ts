import type { Change, DiffSummary, SideFigures } from '../../../backup/index.ts'
import { formatSize, printableName } from '../../../kernel/index.ts'
import type { Snapshot } from '../../../repository/index.ts'

export function changeText({ modifier, path, isFolder }: Change): string {
  return `${modifier.padEnd(4)} ${printableName(path.toString())}${isFolder ? '/' : ''}`
}

/** What `diff --json` prints. */
export function diffJson(before: Snapshot, after: Snapshot, changes: readonly Change[], summary: DiffSummary) {
  return {
    before: before.id,
    after: after.id,
    changes: changes.map(({ path, isFolder, modifier }) => ({ path: `${path.toString()}${isFolder ? '/' : ''}`, modifier })),
    ...summary,
  }
}

export function summaryText({ changedFiles, added, removed }: DiffSummary): string {
  const line = (title: string, of: (side: SideFigures) => number, changed = '') =>
    `${title.padEnd(12)}${of(added)} new, ${of(removed)} removed${changed}`
  return [
    '',
    line('files', ({ files }) => files, `, ${changedFiles} changed`),
    line('folders', ({ folders }) => folders),
    line('others', ({ others }) => others),
    line('data blobs', ({ dataBlobs }) => dataBlobs),
    line('tree blobs', ({ treeBlobs }) => treeBlobs),
    `added       ${formatSize(added.bytes)}`,
    `removed     ${formatSize(removed.bytes)}`,
  ].join('\n')
}
