import type { BlobType } from '../blob.ts'
import type { StoredBlobsMemory } from '../blob-table/stored-blobs.ts'
import type { MasterKey } from '../seal.ts'
import type { CompressedText } from '../tree/tree-text.ts'
import type { FileMakerModule, SavedContent } from './contract.ts'
import type { KnownBlobsMemory } from './known-blobs.ts'
import type { FinishedPack, OpenPack } from './pack-builder.ts'

/** What passes between a writer's main thread and its workers: see src/repository/writer-worker.ts. Memory is moved, not copied. */

/** What every worker is started with. */
export interface WriterWorkerData {
  readonly masterKey: MasterKey
  readonly polynomial: bigint
  /** What the repository held when the threads were started. */
  readonly stored: StoredBlobsMemory
  /** Data blobs that were claimed since. */
  readonly known: KnownBlobsMemory
  /** Size at which packs are closed; the format's usual one when absent. */
  readonly packBytes: number | undefined
  /** One 64-bit counter: bytes of content read by all workers. */
  readonly bytesRead: SharedArrayBuffer
}

/** What a worker answers, one call after the other in the order they come. */
export interface WriterCalls {
  /**
   * Several files in one call: for small ones, a message costs as much as the work. Paths are text with one character for each byte, as a
   * view of bytes would take all of the memory that it is a view of along.
   */
  saveFiles: { input: { maker: number; latin1Paths: readonly string[] }; output: readonly FileResult[] }
  /** Makes a FileMaker known by a number. `entry` is an address as text. */
  openMaker: { input: { maker: number; entry: string; data: FileMakerModule['data'] }; output: void }
  /** The whole content of a small stream. */
  saveBytes: { input: { bytes: Uint8Array<ArrayBuffer> }; output: SavedContent }
  /** The next bytes of a stream, which begins with its first call. Gives the memory back. */
  streamBytes: {
    input: { stream: number; memory: Uint8Array<ArrayBuffer>; length: number }
    output: Uint8Array<ArrayBuffer>
  }
  endStream: { input: { stream: number }; output: SavedContent }
  /** The stream failed: forgets it. */
  dropStream: { input: { stream: number }; output: void }
  /** A blob that the caller has claimed in the table of known ones. Gives its stored size. */
  saveTree: { input: { id: string; text: Uint8Array<ArrayBuffer> | CompressedText }; output: number }
  /** Gives away the packs under way. */
  takeOpen: { input: null; output: Partial<Record<BlobType, OpenPack>> }
  /** Puts packs under way of another worker to one's own. */
  absorb: { input: Partial<Record<BlobType, OpenPack>>; output: void }
  /** Closes the packs under way; all are stored when it is answered. */
  finish: { input: null; output: void }
}

/** `unreadable` says why a file could not be read, `code` by which error of the system. */
export type FileResult = { readonly made: unknown } | { readonly unreadable: string; readonly code?: string }

/** What a worker asks of the main thread. */
export interface WriterMainCalls {
  storePack: { input: { type: BlobType; pack: FinishedPack }; output: Uint8Array<ArrayBuffer> }
}
