import type {
  ArchiveProgress,
  BackupSummary,
  CheckProgress,
  CheckReport,
  CopyProgress,
  CopySummary,
  ForgetReport,
  KeepRules,
  OverwriteMode,
  PruneOptions,
  PruneProgress,
  PruneReport,
  RestoreProgress,
  RestoreSummary,
} from '../backup/index.ts'
import type { SnapshotFilter } from '../repository/index.ts'

/** How a long call is followed and ended. */
export interface Work<Progress> {
  readonly signal?: AbortSignal
  readonly onProgress?: (event: Progress) => void
}

/** One state of what was backed up. */
export interface Snapshot {
  readonly id: string
  readonly time: Date
  readonly hostname: string
  readonly paths: readonly string[]
  readonly tags: readonly string[]
  /** The id of the snapshot that this one was made from, when it is a copy or its tags were changed. */
  readonly original?: string
}

/** An entry of a snapshot. */
export interface Entry {
  /** From the root of the snapshot, beginning with '/'. Bytes that are not UTF-8 come as U+FFFD. */
  readonly path: string
  readonly type: 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular'
  /** Of files. */
  readonly sizeBytes?: bigint
  readonly modified: Date
  /** Permissions, as in chmod. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Of symbolic links. */
  readonly linkTarget?: string
}

export interface BackupOptions extends Work<ArchiveProgress> {
  readonly tags?: readonly string[]
  /** This machine's by default. */
  readonly host?: string
  /** Patterns, as those of `--exclude` of `holdfast backup`. */
  readonly excludes?: readonly string[]
  readonly oneFileSystem?: boolean
  readonly skipIfUnchanged?: boolean
  readonly dryRun?: boolean
}

export interface RestoreOptions extends Work<RestoreProgress> {
  /** A folder of the snapshot, whose content goes into the target. */
  readonly folder?: string
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Restore into a folder that is not empty. */
  readonly overwrite?: OverwriteMode
  /** With `overwrite`: remove what the snapshot does not have. */
  readonly deleteExtra?: boolean
  readonly sparse?: boolean
  readonly verify?: boolean
  readonly skipDamaged?: boolean
  readonly dryRun?: boolean
}

export interface ForgetOptions {
  readonly filter?: SnapshotFilter
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

/**
 * An open repository. Each call takes the lock that it needs, as restic does, and gives it back: `locked` is thrown when somebody else has
 * one that is in the way. A snapshot is named by `latest` or the beginning of its id. Dispose it when it is no longer needed.
 */
export interface Repository extends AsyncDisposable {
  readonly id: string
  readonly location: string
  /** Oldest first. */
  snapshots(filter?: SnapshotFilter, signal?: AbortSignal): Promise<Snapshot[]>
  /** What could not be read is in `skipped`: a backup with any is only partly done. */
  backup(paths: readonly string[], options?: BackupOptions): Promise<BackupSummary>
  restore(snapshot: string, target: string, options?: RestoreOptions): Promise<RestoreSummary>
  /** Folders before what is in them. */
  entries(snapshot: string, path?: string, signal?: AbortSignal): AsyncIterable<Entry>
  /** The content of a file in pieces, each verified before it is given. */
  read(snapshot: string, path: string, signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** Damage is a finding, not an error: look at `ok`. */
  check(options?: Work<CheckProgress> & { readonly readData?: boolean }): Promise<CheckReport>
  /** By rules; the space of what is removed is free after `prune`. */
  forget(rules: KeepRules, options?: ForgetOptions): Promise<ForgetReport>
  prune(options?: Work<PruneProgress> & PruneOptions & { readonly dryRun?: boolean }): Promise<PruneReport>
  /** Copies snapshots, all by default, to another repository; only what is missing there moves. */
  copyTo(other: Repository, options?: Work<CopyProgress> & { readonly filter?: SnapshotFilter }): Promise<CopySummary>
}
