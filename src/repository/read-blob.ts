import { HoldfastError, isHoldfastError, shortId } from '../kernel/index.ts'
import type { BlobLocation } from './blob-index.ts'
import { decodeBlob, type BlobType } from './blob.ts'
import type { Repository } from './contract.ts'
import type { SealKeys } from './seal.ts'
import { openTreeText, type StoredText } from './tree-blob.ts'

interface Wanted {
  readonly type: BlobType
  readonly id: string
}

/** See Repository.readBlob. */
export function readBlob(repository: Repository, keys: SealKeys, wanted: Wanted, signal?: AbortSignal): Promise<Uint8Array> {
  const open: Open<Uint8Array> = (stored, location) => decodeBlob(keys, stored, location, location.pack)
  return readAs(open, repository, wanted, signal)
}

/** The text of a tree, found as a blob. */
export function readTreeText(repository: Repository, keys: SealKeys, id: string, signal?: AbortSignal): Promise<StoredText> {
  const open: Open<StoredText> = (stored, location) => openTreeText(keys, stored, location, location.pack)
  return readAs(open, repository, { type: 'tree', id }, signal)
}

/** Opens what was read of a blob. Throws `pack-damaged`. */
type Open<Opened> = (stored: Uint8Array, location: BlobLocation) => Opened

async function readAs<Opened>(open: Open<Opened>, repository: Repository, wanted: Wanted, signal?: AbortSignal): Promise<Opened> {
  let failure: unknown
  const attempt = async (locations: readonly BlobLocation[]): Promise<Opened | undefined> => {
    for (const location of locations) {
      try {
        return await readFrom(open, repository, location, signal)
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

async function readFrom<Opened>(
  open: Open<Opened>,
  { backend }: Repository,
  location: BlobLocation,
  signal?: AbortSignal,
): Promise<Opened> {
  const { type, id, pack, offset, length } = location
  try {
    const stored = await backend.get('data', pack, { range: { offset, length }, ...(signal && { signal }) })
    return open(stored, location)
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
