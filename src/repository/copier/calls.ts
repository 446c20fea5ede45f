import type { BlobEntry } from '../blob.ts'
import type { MasterKey } from '../seal.ts'

/** What passes between a copier and its workers: see src/repository/reseal-worker.ts. Memory is moved, not copied. */

/** What every worker is started with. */
export interface ResealWorkerData {
  readonly from: MasterKey
  readonly to: MasterKey
}

export interface ResealCalls {
  reseal: { input: ResealRequest; output: Resealed }
}

/** Blobs of one pack. */
export interface ResealRequest {
  readonly pack: string
  /** The pack's bytes from `offset` on, at least up to the end of the last entry. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly offset: number
  readonly entries: readonly BlobEntry[]
  /** What is stored uncompressed, is compressed where it gains: format version 1 could not. */
  readonly compress: boolean
}

export interface Resealed {
  /** The sealed blobs back to back. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where they are in `bytes`. */
  readonly blobs: readonly BlobEntry[]
  /** Those that do not authenticate, decompress or hash to their id, and why. */
  readonly damaged: readonly { readonly entry: BlobEntry; readonly reason: string }[]
}
