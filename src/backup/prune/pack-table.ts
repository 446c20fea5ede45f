import type { BlobIndex } from '../../repository/index.ts'
import type { BitSet } from '../bit-set.ts'

/**
 * What packs are worth, by their numbers in the index: a few numbers a pack, whatever is in it. A used blob counts as used in one pack only;
 * its further places are unused.
 */
export interface PackTable {
  readonly usedBytes: Float64Array
  readonly unusedBytes: Float64Array
  readonly usedBlobs: Uint32Array
  readonly unusedBlobs: Uint32Array
  /** Bits: 1 holds content, 2 holds trees, 4 holds uncompressed content, 8 uncompressed trees. */
  readonly kinds: Uint8Array
}

export const kindBits = { data: 1, tree: 2, uncompressedData: 4, uncompressedTree: 8 } as const

export function packTable(index: BlobIndex, used: BitSet): PackTable {
  const packs = index.packCount
  const table: PackTable = {
    usedBytes: new Float64Array(packs),
    unusedBytes: new Float64Array(packs),
    usedBlobs: new Uint32Array(packs),
    unusedBlobs: new Uint32Array(packs),
    kinds: new Uint8Array(packs),
  }
  const places = new Uint8Array(index.size)
  let severalPlaces = 0
  index.eachPlace((position, pack, type, _length, isCompressed) => {
    const uncompressed = type === 'data' ? kindBits.uncompressedData : kindBits.uncompressedTree
    table.kinds[pack] = (table.kinds[pack] ?? 0) | kindBits[type] | (isCompressed ? 0 : uncompressed)
    if (places[position] === 1) severalPlaces++
    if ((places[position] ?? 0) < 2) places[position] = (places[position] ?? 0) + 1
  })
  const count = (pack: number, length: number, isUsed: boolean) => {
    const [bytes, blobs] = isUsed ? [table.usedBytes, table.usedBlobs] : [table.unusedBytes, table.unusedBlobs]
    bytes[pack] = (bytes[pack] ?? 0) + length
    blobs[pack] = (blobs[pack] ?? 0) + 1
  }
  index.eachPlace((position, pack, _type, length) => {
    if (!used.has(position)) count(pack, length, false)
    else if (places[position] === 1) count(pack, length, true)
  })
  if (severalPlaces > 0) {
    const chosen = choosePlaces(index, table, (position) => used.has(position) && places[position] === 2)
    index.eachPlace((position, pack, _type, length) => {
      if (used.has(position) && places[position] === 2) count(pack, length, chosen[position] === pack)
    })
  }
  return table
}

/**
 * Of several places of a used blob the one that stays, by position: in the pack with the least waste, so that packs that an interrupted prune
 * has written already are kept, and those that they came from go whole.
 */
function choosePlaces(
  index: BlobIndex,
  { usedBytes, unusedBytes }: Pick<PackTable, 'usedBytes' | 'unusedBytes'>,
  isShared: (position: number) => boolean,
): Int32Array {
  const chosen = new Int32Array(index.size).fill(-1)
  // From before anything shared is counted: the choice does not depend on the order of choosing.
  const [wasted, needed] = [unusedBytes.slice(), usedBytes.slice()]
  const isBetter = (pack: number, than: number): boolean => {
    const waste = (wasted[pack] ?? 0) - (wasted[than] ?? 0)
    if (waste !== 0) return waste < 0
    const need = (needed[pack] ?? 0) - (needed[than] ?? 0)
    return need === 0 ? pack < than : need > 0
  }
  index.eachPlace((position, pack) => {
    if (!isShared(position)) return
    const before = chosen[position] ?? -1
    if (before === -1 || isBetter(pack, before)) chosen[position] = pack
  })
  return chosen
}
