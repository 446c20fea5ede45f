import type { HoldfastError } from '../../kernel/index.ts'
import type { BlobEntry } from '../blob.ts'

/** A blob that could not be had whole from the pack it was wanted from. */
export interface UncopiedBlob {
  readonly entry: BlobEntry
  /** `pack-damaged`, or what the storage said. */
  readonly error: HoldfastError
}

/** Sums over everything that one copier stored. */
export interface CopierTotals {
  readonly dataBlobs: number
  readonly treeBlobs: number
  /** Of the plaintext, and as stored: compressed and sealed, without pack headers. */
  readonly copiedBytes: number
  readonly storedBytes: number
}

/**
 * Takes blobs over from another repository: sealed anew, neither cut nor compressed again. Threads do the work; memory stays bounded by a
 * few packs.
 *
 * What was copied is not durable, and no index names it, until `flush` has returned: only then may a snapshot refer to it. Disposing
 * without a flush abandons what is not stored yet. Calls may overlap. The first failure to store anything is final.
 */
export interface BlobCopier extends AsyncDisposable {
  /**
   * Blobs of one pack of the source, read with few requests. They are stored even where the repository has them. Damage is a result;
   * failures of either storage are thrown. `onBytes` is told of bytes as stored, as they are done.
   */
  copy(
    pack: string,
    entries: readonly BlobEntry[],
    onBytes: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<UncopiedBlob[]>
  /** All packs are durable, then all indexes are. */
  flush(signal?: AbortSignal): Promise<void>
  totals(): CopierTotals
}
