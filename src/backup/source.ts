import type { Json } from '../kernel/index.ts'
import type { BlobWriter, Repository, Snapshot } from '../repository/index.ts'

/**
 * What is protected: a folder of files, a database. A source reads what it protects, saves its content through the writer, and gives the
 * root tree. It takes no lock, flushes nothing and writes no snapshot: `backup` does.
 */
export interface Source {
  readonly kind: 'files' | 'postgres' | 'stream'
  /** What the snapshot will say. `paths` are absolute; with the host they find the parent. */
  describe(): SourceDescription
  /** Throws when nothing useful can be saved; what is only partly readable ends up in `skipped`. */
  archive(context: ArchiveContext, signal: AbortSignal): Promise<ArchivedTree>
}

export interface SourceDescription {
  readonly paths: readonly string[]
  readonly tags: readonly string[]
  /** Patterns that were left out, for the snapshot's `excludes`. */
  readonly excludes?: readonly string[]
}

export interface ArchiveContext {
  readonly writer: BlobWriter
  readonly repository: Repository
  /** The newest snapshot of the same paths and host; absent when there is none or a full read is wanted. */
  readonly parent?: Snapshot
  readonly progress: (event: ArchiveProgress) => void
}

/** How far an archive is. Totals appear once they are known; an estimate of the time left is made from them. */
export interface ArchiveProgress {
  readonly type: 'backup'
  readonly filesDone: number
  readonly bytesDone: number
  readonly filesTotal?: number
  readonly bytesTotal?: number
  /** Milliseconds left, from the mean rate so far. */
  readonly etaMs?: number
  /** What is being read. */
  readonly current?: string
}

export interface ArchivedTree {
  /** The id of the root tree. */
  readonly tree: string
  readonly stats: ArchiveStats
  /** What is not in the tree, or not whole, and why. Never empty silently: a backup with skipped entries is only partly done. */
  readonly skipped: readonly Skipped[]
  /** What the source knows about the protected state, for the ledger: PostgreSQL's start and stop LSN, timeline, system identifier. */
  readonly facts?: Json
}

export interface Skipped {
  readonly path: string
  readonly reason: string
}

/** restic's summary counters; blobs and bytes added come from the writer. */
export interface ArchiveStats {
  readonly filesNew: number
  readonly filesChanged: number
  readonly filesUnmodified: number
  readonly dirsNew: number
  readonly dirsChanged: number
  readonly dirsUnmodified: number
  readonly totalFilesProcessed: number
  readonly totalBytesProcessed: number
}
