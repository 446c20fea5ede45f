import { HoldfastError, isHoldfastError, shortId } from '../kernel/index.ts'
import type { BlobLocation } from './blob-index.ts'
import { decodeBlob, type BlobType } from './blob.ts'
import type { Repository } from './contract.ts'
import type { SealKeys } from './seal.ts'

interface Wanted {
  readonly type: BlobType
  readonly id: string
}

/** See Repository.readBlob. */
export async function readBlob(
  repository: Repository,
  keys: SealKeys,
  wanted: Wanted,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  let failure: unknown
  const attempt = async (locations: readonly BlobLocation[]): Promise<Uint8Array | undefined> => {
    for (const location of locations) {
      try {
        return await readFrom(repository, keys, location, signal)
      } catch (error) {
        // It may be whole in another pack; when it is in none, the first damage is told.
        if (!isHoldfastError(error, 'pack-damaged')) throw error
        failure ??= error
      }
    }
    return undefined
  }
  const known = await locate(repository, wanted, signal)
  const found = await attempt(known)
  if (found !== undefined) return found
  // Somebody may have moved it since the index was loaded: a prune deletes the pack that it was in.
  const packs = new Set(known.map(({ pack }) => pack))
  const index = await repository.refreshIndex(signal)
  const moved = index.lookupAll(wanted.type, wanted.id).filter(({ pack }) => !packs.has(pack))
  // And what was read wrong once may be read right: wires flip bits, too, and nothing must be given up for that.
  const again = await attempt([...moved, ...known])
  if (again === undefined) throw failure
  return again
}

async function readFrom(
  { backend }: Repository,
  keys: SealKeys,
  location: BlobLocation,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { type, id, pack, offset, length } = location
  try {
    const stored = await backend.get('data', pack, { range: { offset, length }, ...(signal && { signal }) })
    return decodeBlob(keys, stored, location, pack)
  } catch (error) {
    if (!isHoldfastError(error, 'object-missing') && !isHoldfastError(error, 'object-damaged')) throw error
    throw new HoldfastError('pack-damaged', {
      message: `${type} blob ${shortId(id)} cannot be read from pack ${shortId(pack)}: ${error.message}`,
      hint: 'run `holdfast check` to see which snapshots are affected, and copy the pack from another repository',
      cause: error,
      details: { pack, blob: id, type, offset },
    })
  }
}

/** At least one place. */
async function locate(repository: Repository, { type, id }: Wanted, signal?: AbortSignal): Promise<BlobLocation[]> {
  const index = await repository.loadIndex(signal)
  const locations = index.lookupAll(type, id)
  if (locations.length > 0) return locations
  // Perhaps another writer has stored it since.
  const found = (await repository.refreshIndex(signal)).lookupAll(type, id)
  if (found.length > 0) return found
  throw new HoldfastError('blob-missing', {
    message: `no index of ${repository.location} names ${type} blob ${shortId(id)}`,
    hint: 'run `holdfast check` to see which snapshots are affected',
    details: { blob: id, type },
  })
}
