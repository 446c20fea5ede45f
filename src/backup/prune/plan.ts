import type { PackListing } from './list-packs.ts'
import { kindBits, type PackTable } from './pack-table.ts'
import { unusedBytesAllowed, type PruneOptions } from './request.ts'

/** What becomes of a pack. A pack that is repacked goes like one that is removed, after its used blobs were moved. */
export const packAction = { keep: 0, remove: 1, repack: 2 } as const

/** restic's usual size of a pack, and the size up to which small ones are joined unasked. Bytes. */
const targetPackBytes = 16 * 1024 * 1024
const smallPackBytes = 1024 * 1024
/** Fewer small packs than this are not worth joining: it also ends, when there is but one left. */
const fewSmallPacks = 10

/**
 * By restic's rules: packs without anything used go; mixed packs and packs of trees with anything unused are repacked; packs of content from
 * the worst on, until no more is unused than may be. Gives a packAction for each pack number; lost packs go. Pure.
 */
export function planPacks(
  { usedBytes, unusedBytes, usedBlobs, unusedBlobs, kinds }: PackTable,
  { sizes, lost }: Pick<PackListing, 'sizes' | 'lost'>,
  { maxUnused = { percent: 5 }, maxRepackBytes = Infinity, repackSmall = false, repackUncompressed = false }: PruneOptions,
): Uint8Array {
  const actions = new Uint8Array(sizes.length)
  const isLost = new Uint8Array(sizes.length)
  for (const pack of lost) {
    isLost[pack] = 1
    actions[pack] = packAction.remove
  }
  const largeBytes = repackSmall ? targetPackBytes * 0.8 : smallPackBytes
  const isLarge = (pack: number) => (sizes[pack] ?? 0) >= largeBytes
  const isContent = (pack: number) => ((kinds[pack] ?? 0) & (kindBits.data | kindBits.tree)) === kindBits.data
  const isMixed = (pack: number) => ((kinds[pack] ?? 0) & 3) === 3
  const mustCompress = (pack: number) => {
    const kind = kinds[pack] ?? 0
    return (kind & kindBits.uncompressedTree) !== 0 || (repackUncompressed && (kind & kindBits.uncompressedData) !== 0)
  }

  const candidates: number[] = []
  const small: number[] = []
  let used = 0
  let unused = 0
  for (let pack = 0; pack < sizes.length; pack++) {
    if (isLost[pack] === 1) continue
    used += usedBytes[pack] ?? 0
    if (usedBlobs[pack] === 0) {
      actions[pack] = packAction.remove
      continue
    }
    unused += unusedBytes[pack] ?? 0
    if ((unusedBlobs[pack] ?? 0) > 0 || isMixed(pack) || mustCompress(pack)) candidates.push(pack)
    else if (!isLarge(pack)) small.push(pack)
  }
  if (small.length >= fewSmallPacks) candidates.push(...small)

  const waste = (pack: number) => (unusedBytes[pack] ?? 0) / ((unusedBytes[pack] ?? 0) + (usedBytes[pack] ?? 0))
  candidates.sort(
    (a, b) =>
      Number(isContent(a)) - Number(isContent(b)) || Number(isLarge(a)) - Number(isLarge(b)) || waste(b) - waste(a) || a - b,
  )
  const allowed = unusedBytesAllowed(maxUnused, used)
  let repacked = 0
  for (const pack of candidates) {
    const size = sizes[pack] ?? 0
    if (repacked + size > maxRepackBytes) continue
    const isEnough = unused <= allowed
    if (isEnough && isContent(pack) && isLarge(pack) && !mustCompress(pack)) continue
    actions[pack] = packAction.repack
    repacked += size
    unused -= unusedBytes[pack] ?? 0
  }
  return actions
}
