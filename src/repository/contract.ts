import type { HoldfastError } from '../kernel/index.ts'
import type { Backend, SealedArea } from '../storage/index.ts'
import type { BlobIndex } from './blob-index.ts'
import type { ThreadKeys } from './blob-opener.ts'
import type { BlobEntry, BlobType } from './blob.ts'
import type { RepositoryConfig } from './config.ts'
import type { CopierOptions } from './copier/blob-copier.ts'
import type { BlobCopier } from './copier/contract.ts'
import type { SnapshotFilter } from './find-snapshot.ts'
import type { IndexedPack } from './index-file.ts'
import type { UnreadableIndex } from './index-loader.ts'
import type { KeyRing } from './key-ring.ts'
import type { RepositoryLock } from './locks/held-lock.ts'
import type { LockInfo } from './locks/lock-file.ts'
import type { FoundBlob, PackRange, RangeOptions } from './read-pack.ts'
import type { AreaKind } from './sealed-area.ts'
import type { Snapshot, SnapshotChanges, SnapshotRecord } from './snapshot.ts'
import type { TreeNode } from './tree/node.ts'
import type { TreeNodes } from './tree/tree-nodes.ts'
import type { WriterOptions } from './writer/blob-writer.ts'
import type { BlobWriter } from './writer/contract.ts'

/** A lock that stands in the repository. Without `info` it cannot be read. */
export interface StandingLock {
  readonly id: string
  readonly info: LockInfo | undefined
  readonly stale: boolean
}

/**
 * An open repository in restic's format. Everything read from it is authenticated and, where it is named by its hash, compared with its
 * name. Writers work in the order packs → index → snapshot, readers in the reverse: list snapshots before loading the index.
 */
export interface Repository extends AsyncDisposable {
  /** From its config: the same in every copy made by copying files. */
  readonly id: string
  readonly location: string
  readonly backend: Backend
  readonly config: RepositoryConfig
  /** Its passwords. */
  readonly keys: KeyRing
  area(kind: AreaKind): SealedArea

  /**
   * Waits for its turn up to `retryForMs` (default 0), then throws `locked`, which says by whom. Held until it is disposed, and kept fresh.
   * Take a shared lock to read or add, an exclusive one to delete.
   */
  lock(mode: 'shared' | 'exclusive', options?: { readonly retryForMs?: number }, signal?: AbortSignal): Promise<RepositoryLock>
  locks(signal?: AbortSignal): Promise<StandingLock[]>
  /** Removes stale locks, or all of them; gives those removed. */
  unlock(options?: { readonly all?: boolean }, signal?: AbortSignal): Promise<StandingLock[]>

  /** The index, loaded once and then kept; `unreadableIndexes` tells what could not be used for it. */
  loadIndex(signal?: AbortSignal): Promise<BlobIndex>
  /** As loadIndex, with what others have indexed since. */
  refreshIndex(signal?: AbortSignal): Promise<BlobIndex>
  readonly unreadableIndexes: readonly UnreadableIndex[]
  /** The next loadIndex reads everything anew: after packs were deleted. An index given before stays as it is. */
  dropIndex(): void
  /**
   * For writers: compares the packs that the index names with those that are there, and counts what is only in missing or truncated ones as
   * unknown from now on, so that it is stored again. Gives their ids.
   */
  setAsideLostPacks(signal?: AbortSignal): Promise<string[]>
  /** The verified plaintext, from whichever pack has it whole. Throws `blob-missing` when no index names it, `pack-damaged` when it cannot be had whole. */
  readBlob(type: BlobType, id: string, signal?: AbortSignal): Promise<Uint8Array>
  /** Many blobs of one pack, with few requests. Damage is a result. */
  readPackBlobs(pack: string, entries: readonly BlobEntry[], signal?: AbortSignal): AsyncGenerator<FoundBlob>
  /** The same, still sealed, for threads that open blobs themselves: what was read at once. */
  readPackRanges(pack: string, entries: readonly BlobEntry[], options?: RangeOptions): AsyncGenerator<PackRange>
  /** For createBlobOpener in another thread. */
  readonly threadKeys: ThreadKeys
  /** Throws as readBlob, and `object-damaged` for a tree that is not one. All nodes at once: for those who know that they are few. */
  readTree(id: string, signal?: AbortSignal): Promise<TreeNode[]>
  /** As readTree, of any number of nodes. Whoever goes through them gets `object-damaged`. */
  openTree(id: string, signal?: AbortSignal): Promise<TreeNodes>

  /**
   * Oldest first. Throws `object-damaged` when one cannot be read: to overlook it would be to lie about what there is. With `onDamaged`
   * that is called instead, and the others are given.
   */
  snapshots(signal?: AbortSignal, onDamaged?: (id: string, error: HoldfastError) => void): Promise<Snapshot[]>
  snapshotIds(signal?: AbortSignal): Promise<string[]>
  /** Bytes of the stored form of each, by its id: for whoever keeps what snapshots say (decodeSnapshot). */
  snapshotSizes(signal?: AbortSignal): Promise<Map<string, number>>
  readSnapshot(id: string, signal?: AbortSignal): Promise<Snapshot>
  /** Reads it for whoever knows what it says. Throws as readSnapshot does, `object-damaged` where it is not what its id is the hash of; it costs a fifth. */
  verifySnapshot(id: string, signal?: AbortSignal): Promise<void>
  /** By `latest` or the beginning of an id. Throws `snapshot-not-found`, `snapshot-ambiguous`. The filter is for `latest`. */
  findSnapshot(idOrLatest: string, filter?: SnapshotFilter, signal?: AbortSignal): Promise<Snapshot>
  /** Durable when it returns. All that it refers to must be durable and indexed before. */
  saveSnapshot(record: SnapshotRecord, signal?: AbortSignal): Promise<Snapshot>
  /** Writes it anew with other fields, what we do not know of it included. The old one stays. Durable when it returns. */
  rewriteSnapshot(snapshot: Snapshot, changes: SnapshotChanges, signal?: AbortSignal): Promise<Snapshot>
  /** Removes the snapshot, not its data. Under an exclusive lock. */
  forgetSnapshot(id: string, signal?: AbortSignal): Promise<void>

  createWriter(options?: WriterOptions): Promise<BlobWriter>
  /** For blobs of another repository, opened by this program too. */
  createCopier(source: Repository, options?: CopierOptions): Promise<BlobCopier>

  /** The JSON of an object, as it was written. Throws `object-missing`, `object-damaged`. */
  readUnpacked(kind: 'index' | 'snapshots' | 'locks', id: string, signal?: AbortSignal): Promise<Uint8Array>
  /** For check: what one index file says, as it is stored now. Throws `object-damaged`. */
  readIndex(id: string, signal?: AbortSignal): Promise<IndexedPack[]>
  /** For prune and repair: names packs in an index file, which the index that is loaded is taken to know. Durable when it returns. Gives its id. */
  saveIndex(packs: readonly IndexedPack[], signal?: AbortSignal): Promise<string>
  /** For prune and repair: the blobs of a stored pack, from its own header, with two small requests. Throws `pack-damaged`, `object-missing`. */
  readPackHeader(pack: { readonly id: string; readonly sizeBytes: number }, signal?: AbortSignal): Promise<BlobEntry[]>
}
