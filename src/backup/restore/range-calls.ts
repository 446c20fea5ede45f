import type { BlobEntry, ThreadKeys, TreeNode } from '../../repository/index.ts'

/** What of a node an entry of the target is given. */
export type Metadata = Pick<TreeNode, 'type' | 'mode' | 'uid' | 'gid' | 'atime' | 'mtime' | 'extendedAttributes'>

/** A file that content of a range goes to. Paths are absolute, their bytes as latin1 text: views of shared memory would be copied with all of it. */
export interface RangeFile {
  readonly temporary: string
  /** It has content that is written over: zeros are written, too. A file without this is made of holes. */
  readonly hasContent?: true
  /** Set when all of its content is in this range: it is made, gets what its node says, and then its own name. Otherwise it is there already. */
  readonly whole?: { readonly path: string; readonly metadata: Metadata; readonly sizeBytes: number }
}

/** Bytes of one pack, read at once, and where their blobs go. */
export interface RangeTask {
  readonly pack: string
  /** Of the bytes in the pack. */
  readonly offset: number
  readonly bytes: Uint8Array
  /** Leave out all blocks of zeros. */
  readonly sparse: boolean
  readonly files: readonly RangeFile[]
  readonly blobs: readonly {
    readonly entry: BlobEntry
    /** `file` is a place in `files`, `at` where in it the blob begins. */
    readonly uses: readonly { readonly file: number; readonly at: number }[]
  }[]
}

/** What became of a range. Files are named by their place in the task. */
export interface RangeOutcome {
  /** Blobs that are not what they should be, by their place, and why. Whole files that need one were not made. */
  readonly damaged: readonly { readonly blob: number; readonly error: Error }[]
  /** Whole files whose name the target does not take, and why. */
  readonly refused: readonly { readonly file: number; readonly reason: string }[]
  /** What whole files lack of what their nodes say. */
  readonly losses: readonly { readonly file: number; readonly reason: string }[]
  readonly writtenBytes: number
}

export type RangeCalls = { write: { input: RangeTask; output: RangeOutcome } }

export interface RangeWorkerData {
  readonly keys: ThreadKeys
  /** The target, absolute and without symbolic links. Latin1 text. */
  readonly target: string
}
