import type { BlobIndex, Repository } from '../../repository/index.ts'

/** The packs that are there, beside those that the index names. */
export interface PackListing {
  /** Bytes by the pack's number in the index; NaN where there is no such file. */
  readonly sizes: Float64Array
  /** Numbers of packs that are missing or have another size than they must. */
  readonly lost: readonly number[]
  /** Files that the index does not name. */
  readonly unindexed: readonly { readonly id: string; readonly sizeBytes: number }[]
}

/** To be called behind loading the index: what that names was there before. Lost packs count as not there from now on. */
export async function listPacks(repository: Repository, index: BlobIndex, signal: AbortSignal): Promise<PackListing> {
  const packs = [...index.packs()]
  const sizes = new Float64Array(packs.length).fill(Number.NaN)
  const unindexed: { id: string; sizeBytes: number }[] = []
  for await (const { name, sizeBytes } of repository.backend.list('data', '', signal)) {
    const number = index.packNumber(name)
    if (number === undefined) unindexed.push({ id: name, sizeBytes })
    else sizes[number] = sizeBytes
  }
  const lost = packs.flatMap(({ sizeBytes }, number) => (sizes[number] === sizeBytes ? [] : [number]))
  for (const number of lost) index.setAside(packs[number]?.id ?? '')
  return { sizes, lost, unindexed }
}
