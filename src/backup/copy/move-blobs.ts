import { availableParallelism } from 'node:os'
import type { HoldfastError } from '../../kernel/index.ts'
import type { BlobCopier, BlobIndex, BlobLocation } from '../../repository/index.ts'

/** Packs read and sealed anew at the same time: one for each thread of the copier. Each takes some 50 MB, garbage included. */
const packsAtOnce = Math.min(8, availableParallelism())

export interface Move {
  readonly copier: BlobCopier
  /** The source's. */
  readonly index: BlobIndex
  /** Positions in it. */
  readonly positions: Uint32Array
  /** Told of bytes as stored. */
  readonly onBytes: (bytes: number) => void
}

/** Moves blobs, pack by pack; one that is damaged in one pack is looked for in others. Gives what could be had nowhere: why, by blob. */
export async function moveBlobs(
  { copier, index, positions, onBytes }: Move,
  signal: AbortSignal,
): Promise<Map<string, HoldfastError>> {
  const lost = new Map<string, HoldfastError>()
  const packs = byPack(index, positions).values()
  const lane = async () => {
    for (const { pack, places } of packs) {
      for (const { entry, error } of await copier.copy(pack, places, onBytes, signal)) {
        if (!(await copyFromElsewhere(pack, entry))) lost.set(entry.id, error)
      }
    }
  }
  const copyFromElsewhere = async (damaged: string, { type, id }: Pick<BlobLocation, 'type' | 'id'>): Promise<boolean> => {
    for (const place of index.lookupAll(type, id)) {
      if (place.pack === damaged) continue
      if ((await copier.copy(place.pack, [place], onBytes, signal)).length === 0) return true
    }
    return false
  }
  await Promise.all(Array.from({ length: packsAtOnce }, lane))
  return lost
}

interface PackPart {
  readonly pack: string
  readonly places: BlobLocation[]
}

/** In the order of the index: as far as it goes, that of writing. */
function byPack(index: BlobIndex, positions: Uint32Array): PackPart[] {
  const parts = new Map<string, PackPart>()
  for (const position of positions.toSorted()) {
    const place = index.at(position)
    if (place === undefined) continue
    const part = parts.get(place.pack) ?? { pack: place.pack, places: [] }
    part.places.push(place)
    parts.set(place.pack, part)
  }
  return [...parts.values()]
}
