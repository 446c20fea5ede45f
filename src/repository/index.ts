export { createBlobOpener, type BlobOpener, type ThreadKeys } from './blob-opener.ts'
export type { BlobIndex, BlobLocation } from './blob-index.ts'
export { maxBlobBytes, type BlobEntry, type BlobType } from './blob.ts'
export type { RepositoryConfig } from './config.ts'
export type { Repository, StandingLock } from './contract.ts'
export type { CopierOptions } from './copier/blob-copier.ts'
export type { BlobCopier } from './copier/contract.ts'
export { isFutureDated, matchesFilter, newestSnapshot, uniqueId, type SnapshotFilter } from './find-snapshot.ts'
export { StoredBlobs, type StoredBlobsMemory } from './blob-table/stored-blobs.ts'
export type { IndexedPack } from './index-file.ts'
export { staleAfterMs } from './locks/lock-file.ts'
export { resticLockTimes, type LockTimes, type RepositoryLock } from './locks/held-lock.ts'
export type { KeyRing, RepositoryKey } from './key-ring.ts'
export { createRepository, openRepository, type CreateOptions } from './open.ts'
export { packFileBytes } from './pack-header.ts'
export { maxRangeBytes, plaintextBytes, storedIn, type FoundBlob, type PackRange } from './read-pack.ts'
export { readTrees } from './read-trees.ts'
export { selectSnapshots, type SnapshotSelection } from './select-snapshots.ts'
export { decodeSnapshot, describesSameState, type Snapshot, type SnapshotRecord, type SnapshotSummary } from './snapshot.ts'
export { encodeNode, encodeTree, TreeEncoder } from './tree/encode.ts'
export { isSafeNodeName, type ExtendedAttribute, type NodeType, type TreeNode } from './tree/node.ts'
export { isSameNode } from './tree/same.ts'
export { largeBytes } from './tree-blob.ts'
export { treePieces } from './tree/pieces.ts'
export { TreeText, type CompressedText } from './tree/tree-text.ts'
export { TreeNodes } from './tree/tree-nodes.ts'
export { field, kinds, long, text, TreeScanner } from './tree/scanner.ts'
export { formatTime, parseTime, type Nanoseconds } from './tree/time.ts'
export type { WriterOptions } from './writer/blob-writer.ts'
export type {
  BlobWriter,
  FileMaker,
  FileMakerModule,
  SavedContent,
  SavedTree,
  SaveFile,
  WriterTotals,
} from './writer/contract.ts'
