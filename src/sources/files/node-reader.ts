import { readlinkSync, type BigIntStats } from 'node:fs'
import { goMode, type Posix } from '../../backup/index.ts'
import { systemCode } from '../../kernel/index.ts'
import type { ExtendedAttribute, NodeType, TreeNode } from '../../repository/index.ts'
import type { Owners } from './owners.ts'
import { unsigned } from './unsigned.ts'
import type { Entry } from './walk.ts'

/** What only the caller knows of a node. */
export type Known = Partial<Pick<TreeNode, 'content' | 'size' | 'subtree'>>

/** Makes nodes as restic does. Extended attributes (POSIX ACLs among them) are there only with `posix`. */
export class NodeReader {
  readonly #owners: Owners
  readonly #posix: Posix | undefined
  readonly #withAtime: boolean

  constructor(owners: Owners, posix: Posix | undefined, { withAtime = false }: { readonly withAtime?: boolean } = {}) {
    this.#owners = owners
    this.#posix = posix
    this.#withAtime = withAtime
  }

  /** Throws Node's errors for what cannot be looked at any more. */
  read({ name, path, stat }: Entry, { content = null, size, subtree }: Known): TreeNode {
    const type = typeOf(stat)
    const [uid, gid] = [Number(stat.uid), Number(stat.gid)]
    const user = this.#owners.user(uid)
    const group = this.#owners.group(gid)
    // Attributes of links mean nothing to users, and restic does not read them.
    const attributes = type === 'symlink' ? [] : this.#attributes(path)
    const isDevice = type === 'dev' || type === 'chardev'
    const node: { -readonly [Member in keyof TreeNode]: TreeNode[Member] } = {
      name,
      type,
      mode: goMode(Number(stat.mode)),
      mtime: stat.mtimeNs,
      // The true one changes by reading alone, and would make every tree new.
      atime: this.#withAtime ? stat.atimeNs : stat.mtimeNs,
      ctime: stat.ctimeNs,
      uid,
      gid,
      inode: unsigned(stat.ino),
      deviceId: unsigned(stat.dev),
      content,
    }
    // One by one: to spread optional members takes several times as long, for every file.
    if (user !== undefined) node.user = user
    if (group !== undefined) node.group = group
    if (size !== undefined) node.size = size
    if (type === 'file' || type === 'symlink' || isDevice) node.links = stat.nlink
    if (type === 'symlink') node.linkTarget = readlinkSync(path, { encoding: 'buffer' })
    if (attributes.length > 0) node.extendedAttributes = attributes
    if (isDevice) node.device = unsigned(stat.rdev)
    if (subtree !== undefined) node.subtree = subtree
    return node
  }

  /** Whether there are extended attributes that `read` would give. */
  hasAttributes(path: Buffer): boolean {
    return (this.#posix?.listAttributes(path).length ?? 0) > 0
  }

  #attributes(path: Buffer): ExtendedAttribute[] {
    const posix = this.#posix
    if (posix === undefined) return []
    return posix.listAttributes(path).flatMap((name) => {
      try {
        return [{ name: name.toString(), value: posix.getAttribute(path, name) }]
      } catch (error) {
        // Removed since it was listed.
        if (systemCode(error) === 'ENODATA') return []
        throw error
      }
    })
  }
}

function typeOf(stat: BigIntStats): NodeType {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'dir'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isBlockDevice()) return 'dev'
  if (stat.isCharacterDevice()) return 'chardev'
  if (stat.isFIFO()) return 'fifo'
  return stat.isSocket() ? 'socket' : 'irregular'
}

/** For file systems on which a file's ctime or inode changes though nobody changed the file. */
export interface ChangeDetection {
  readonly ignoreCtime?: boolean
  /** The ctime too, as in restic: where inodes change, so does it. */
  readonly ignoreInode?: boolean
}

/**
 * The content that a file had in the parent snapshot, if nothing says that it changed since: type, size, mtime, ctime and inode are equal.
 * The device is no part of it, as with restic: device numbers change when a machine starts again.
 */
export function unchangedContent(
  before: TreeNode | undefined,
  stat: BigIntStats,
  { ignoreCtime = false, ignoreInode = false }: ChangeDetection = {},
): readonly string[] | undefined {
  if (before?.type !== 'file' || before.content === null) return undefined
  const unchanged =
    (before.size ?? 0n) === stat.size &&
    before.mtime === stat.mtimeNs &&
    (ignoreCtime || ignoreInode || before.ctime === stat.ctimeNs) &&
    (ignoreInode || before.inode === unsigned(stat.ino))
  return unchanged ? before.content : undefined
}
