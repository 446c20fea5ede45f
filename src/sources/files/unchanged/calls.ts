import type { BlobEntry, StoredBlobsMemory, ThreadKeys } from '../../../repository/index.ts'
import type { EntryRules } from '../entry-rules.ts'

/** What passes between the search for unchanged directories and its threads: see src/sources/compare-worker.ts. Memory is moved. */

export interface CompareWorkerData {
  readonly keys: ThreadKeys
  readonly stored: StoredBlobsMemory
  readonly rules: EntryRules
  /** When the parent's backup began. */
  readonly recordedSinceNs: bigint | undefined
}

/** A directory and what is left of its tree's way: the tree's place in the bytes of the task. */
export interface DirectoryToCompare {
  /** One character for each byte. */
  readonly latin1Path: string
  readonly tree: BlobEntry
}

export interface CompareTask {
  readonly pack: string
  /** Part of the pack, from `offset` on. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly offset: number
  readonly directories: readonly DirectoryToCompare[]
}

/** How a directory stands to the tree that the parent has for it. */
export interface Compared {
  /** All of its entries are as the tree says, what is below its directories aside. */
  readonly same: boolean
  /** Regular files, and their bytes. */
  readonly files: number
  readonly bytes: number
  /** The directories that both have. */
  readonly names: readonly string[]
  /** The ids of their trees, in the same order. */
  readonly trees: readonly string[]
}

export interface CompareCalls {
  /** One for each directory of the task. */
  compare: { input: CompareTask; output: readonly Compared[] }
}
