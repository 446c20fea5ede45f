import type {
  RepairChange,
  RepairedSnapshot,
  RepairIndexReport,
  RepairPacksReport,
  RepairSnapshotsReport,
} from '../../../backup/index.ts'
import { formatSize, shortId } from '../../../kernel/index.ts'

/** So many of a list are shown; --json has all. */
const shown = 20

export function indexText(report: RepairIndexReport): string {
  const { packs, addedPacks, missingPacks, damagedPacks, unreadableIndexes, indexesWritten, indexesRemoved } = report
  const isNothing = indexesWritten + indexesRemoved + damagedPacks.length === 0
  return [
    ...unreadableIndexes.map(({ id, reason }) => `index ${shortId(id)} was replaced: ${reason}`),
    ...list(addedPacks, (id) => `pack ${shortId(id)} is named again`),
    ...list(missingPacks, (id) => `pack ${id} is gone: what only it held is lost`),
    ...list(
      damagedPacks,
      ({ id, reason, indexed }) =>
        `pack ${id} cannot be read: ${reason}${indexed ? `; \`holdfast repair packs ${shortId(id)}\` saves what is whole` : '; nobody knows what it held'}`,
    ),
    isNothing
      ? `the index is as the ${packs} packs are: nothing to repair`
      : `looked at ${packs} packs; wrote ${indexesWritten} and removed ${indexesRemoved} index files`,
  ].join('\n')
}

export function packsText({ packs, saved, savedBytes, lost, elsewhere, unknown, copies }: RepairPacksReport): string {
  return [
    ...list(lost, ({ type, id, pack, reason }) => `lost: ${type} blob ${id} of pack ${shortId(pack)}: ${reason}`),
    ...list(unknown, (id) => `pack ${id} stays: neither an index nor its own header says what it holds`),
    ...(elsewhere > 0 ? [`damaged, but whole in other packs: ${elsewhere} blobs`] : []),
    ...copies.map((path) => `kept a copy: ${path}`),
    `saved ${saved} blobs (${formatSize(savedBytes)}) of ${packs.length === 1 ? 'a pack' : `${packs.length} packs`}, lost ${lost.length}`,
    ...(lost.length > 0
      ? ['next: a backup, which stores again what is still in its source; then `holdfast repair snapshots`']
      : []),
  ].join('\n')
}

export function snapshotsText({ dryRun, snapshots, repaired }: RepairSnapshotsReport): string {
  const count = repaired.length === 1 ? '1 snapshot misses' : `${repaired.length} snapshots miss`
  const end = dryRun ? `${count} something; nothing was changed: a dry run` : `${count} something`
  return [
    ...repaired.map(repairedText),
    repaired.length === 0 ? `none of ${snapshots} snapshots misses anything` : `${end} of ${snapshots}`,
  ].join('\n')
}

function repairedText({ id, repaired, rootUnreadable, changes, changed, forgotten }: RepairedSnapshot): string {
  const outcome = rootUnreadable
    ? `snapshot ${shortId(id)}: its root cannot be read, nothing can be saved of it`
    : `snapshot ${shortId(id)}: ${changed === 1 ? '1 entry' : `${changed} entries`} not as backed up${repaired === undefined ? '' : `; repaired as ${shortId(repaired)}`}`
  const rest = changed > shown ? [`  … and ${changed - shown} more`] : []
  return [`${outcome}${forgotten ? '; removed' : ''}`, ...changes.slice(0, shown).map(changeText), ...rest].join('\n')
}

function changeText({ path, what, lostBlobs }: RepairChange): string {
  const texts = {
    content: `lost ${lostBlobs === 1 ? 'a part' : `${lostBlobs} parts`} of its content`,
    size: 'had a wrong size',
    folder: 'cannot be read: an empty folder now',
    entry: 'could not be restored: left out',
  }
  return `  ${path}: ${texts[what]}`
}

function list<Item>(items: readonly Item[], text: (item: Item) => string): string[] {
  const rest = items.length > shown ? [`… and ${items.length - shown} more`] : []
  return [...items.slice(0, shown).map(text), ...rest]
}
