import type { BigIntStats } from 'node:fs'
import type { CompressedText } from '../tree/tree-text.ts'

/** What became of one file's or stream's content. Blob ids are lower-case hex SHA-256 of the plaintext, in the order of the content. */
export interface SavedContent {
  readonly content: string[]
  /** Bytes read. */
  readonly sizeBytes: number
  /** Plaintext bytes of the blobs that the repository did not hold before. */
  readonly addedBytes: number
  /** The same blobs as stored: compressed and sealed, without pack headers. */
  readonly addedStoredBytes: number
  readonly newBlobs: number
}

export interface SavedTree {
  /** Lower-case hex SHA-256 of the tree's bytes. */
  readonly id: string
  /** False when the repository held it already. */
  readonly added: boolean
  readonly addedBytes: number
  readonly addedStoredBytes: number
}

/** Sums over everything that one writer saved. `storedBytes` count compressed and sealed blobs. */
export interface WriterTotals {
  readonly dataBlobs: number
  readonly treeBlobs: number
  readonly addedBytes: number
  readonly addedStoredBytes: number
  /** Bytes of content read so far, counted as they are read: for progress. */
  readonly bytesRead: number
}

/**
 * Makes of a file that was saved what the caller wants to know of it, in the thread that read it: for small files, a message to another
 * thread costs as much as the work.
 */
export interface FileMaker<Made> {
  /** Whether the file is wanted at all; it is left out otherwise. */
  readonly wants: (stat: BigIntStats) => boolean
  /** `stat` is that of the file that was read, from before. One character of the path stands for each byte. What it throws makes the file unreadable. */
  readonly make: (file: { readonly latin1Path: string; readonly stat: BigIntStats; readonly saved: SavedContent }) => Made
}

/** A FileMaker for threads to open: the module exports `openFileMaker(data: Data): FileMaker<Made> | Promise<FileMaker<Made>>`. */
export interface FileMakerModule {
  readonly entry: URL
  /** Cloned to every thread. */
  readonly data: unknown
}

/**
 * Saves the content of a regular file, and gives what was made of it; undefined for one that the maker does not want. Throws
 * `source-unreadable`, naming the file, when it cannot be opened or read or is not a regular file (any more), with the system's `code` in its details;
 * the writer stays usable then.
 */
export type SaveFile<Made> = (latin1Path: string, signal?: AbortSignal) => Promise<Made | undefined>

/**
 * Puts content into a repository. Reading, chunking, hashing, compression and encryption happen in worker threads; memory stays bounded
 * however large the content is.
 *
 * What a save returns is not durable, and no index names it, until `flush` has returned: only then may a snapshot refer to it.
 * Disposing without a flush abandons what is not stored yet; the packs already stored are unreferenced residue that prune removes.
 *
 * Saves may overlap. The first failure to store anything (`disk-full`, `storage-failed`) is final: every later call throws it.
 */
export interface BlobWriter extends AsyncDisposable {
  /** The exact text of a tree (encodeTree, or TreeText for any number of nodes). With `again` they are stored even if the repository names them: for what cannot be read back. */
  saveTree(text: Uint8Array | CompressedText, signal?: AbortSignal, options?: { readonly again?: boolean }): Promise<SavedTree>
  fileSaver<Made>(maker: FileMakerModule): SaveFile<Made>
  /**
   * Pieces may have any size; they are copied, so the caller may reuse their memory after it is asked for the next one.
   * Pulls as fast as the workers take it. Errors of `pieces` are passed on.
   */
  saveStream(pieces: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<SavedContent>
  /** All packs are durable, then all indexes are. The writer can be used on after that. */
  flush(signal?: AbortSignal): Promise<void>
  totals(): WriterTotals
}
