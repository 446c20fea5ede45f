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
  for (const location of await locate(repository, wanted, signal)) {
    try {
      return await readFrom(repository, keys, location, signal)
    } catch (error) {
      // It may be whole in another pack; when it is in none, the first damage is told.
      if (!isHoldfastError(error, 'pack-damaged')) throw error
      failure ??= error
    }
  }
  throw failure
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
