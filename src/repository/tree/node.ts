import type { Nanoseconds } from './time.ts'

export type NodeType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular'

export interface ExtendedAttribute {
  readonly name: string
  /** An attribute without a value has an empty one. */
  readonly value: Uint8Array
}

/**
 * One entry of a directory, as restic stores it. Optional fields are left out of the tree when they are zero or empty; 64-bit numbers are
 * bigints because inodes, devices and sizes exceed 2⁵³ on some file systems.
 */
export interface TreeNode {
  /** The raw bytes: names need not be UTF-8. Untrusted when read: see isSafeNodeName. */
  readonly name: Buffer
  readonly type: NodeType
  /** Go's FileMode: the lowest 9 bits are permissions, above them are Go's own type bits. */
  readonly mode: number
  readonly mtime: Nanoseconds
  readonly atime: Nanoseconds
  readonly ctime: Nanoseconds
  readonly uid: number
  readonly gid: number
  readonly user?: string
  readonly group?: string
  readonly inode?: bigint
  /** st_dev of the file system it was on. */
  readonly deviceId?: bigint
  /** Bytes; of files only. */
  readonly size?: bigint
  readonly links?: bigint
  /** Raw bytes. */
  readonly linkTarget?: Buffer
  /** In the order the file system listed them. */
  readonly extendedAttributes?: readonly ExtendedAttribute[]
  /** The JSON object as it was read, for systems other than this one: Windows' attributes. */
  readonly genericAttributes?: string
  /** st_rdev of a device. */
  readonly device?: bigint
  /** Ids of the data blobs of a file, in order; null for everything else. */
  readonly content: readonly string[] | null
  /** The id of a directory's tree. */
  readonly subtree?: string
  /** What went wrong when the node was read. */
  readonly error?: string
}

/** False for names that would lead out of the directory they stand in. A restore must refuse them. */
export function isSafeNodeName(name: Uint8Array): boolean {
  if (name.length === 0 || name.includes(0x2f) || name.includes(0)) return false
  return !(name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e)))
}
