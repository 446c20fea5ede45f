import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs'
import { goMode } from '../../../backup/index.ts'
import { field, isSameNode, kinds, long, text, type StoredBlobs, type TreeScanner } from '../../../repository/index.ts'
import type { Exclusions } from '../exclude.ts'
import { unchangedContent, type NodeReader } from '../node-reader.ts'
import type { Owners } from '../owners.ts'
import { unsigned } from '../unsigned.ts'
import type { Compared } from './calls.ts'
import type { CtimeTrust } from './ctime-trust.ts'

const typeMask = 0o170_000
const socketType = 0o140_000
const kindOf: Readonly<Record<number, number>> = {
  0o100_000: kinds.file,
  0o040_000: kinds.dir,
  0o120_000: kinds.symlink,
  0o060_000: kinds.dev,
  0o020_000: kinds.chardev,
  0o010_000: kinds.fifo,
}
// oxlint-disable-next-line no-control-regex -- ASCII is meant.
const ascii = /^[\x00-\x7f]*$/

export interface ComparerTools {
  readonly scanner: TreeScanner
  readonly stored: StoredBlobs
  readonly exclusions: Exclusions
  readonly nodes: NodeReader
  readonly owners: Owners
  readonly attributesKept: CtimeTrust
  readonly withAtime: boolean
}

interface Child {
  readonly name: string
  readonly path: string | Buffer
  readonly stat: BigIntStats
  /** `st_mode`. */
  readonly mode: number
}

/**
 * Compares directories with the trees that a parent snapshot has for them, without making an object for either. `same` is true only when
 * the archive would make exactly these nodes, so that it would write the same tree again; whatever this is not sure of is not the same.
 */
export class DirectoryComparer {
  readonly #tools: ComparerTools
  /** What a tree has for a mode, and for an owner. */
  readonly #modes = new Map<number, number>()
  readonly #users = new Map<number, string>()
  readonly #groups = new Map<number, string>()

  constructor(tools: ComparerTools) {
    this.#tools = tools
  }

  /** The scanner has begun with the directory's tree. */
  compare(latin1Path: string): Compared {
    const { scanner } = this.#tools
    const compared = { same: true, files: 0, bytes: 0, names: [] as string[], trees: [] as string[] }
    const listed = this.#list(latin1Path)
    if (listed === undefined) return { ...compared, same: false }
    let at = 0
    let child = this.#look(latin1Path, listed[at])
    while (scanner.next()) {
      const isOdd = scanner.word(field.kind) === kinds.odd
      const name = isOdd ? scanner.node(latin1Path).name.toString('latin1') : scanner.latin1(text.name)
      // What is not kept is passed over; what is new makes a difference, but not to what follows.
      while (at < listed.length && (child === undefined || child.name < name)) {
        if (child !== undefined) compared.same = false
        child = this.#look(latin1Path, listed[++at])
      }
      if (child?.name !== name) {
        compared.same = false
        continue
      }
      if (compared.same) compared.same = this.#isSame(child, isOdd)
      if (compared.same && (child.mode & typeMask) === 0o100_000) {
        compared.files++
        compared.bytes += Number(child.stat.size)
      }
      if ((child.mode & typeMask) === 0o040_000) {
        const subtree = isOdd ? scanner.node(latin1Path).subtree : scanner.subtree
        if (subtree) {
          compared.names.push(name)
          compared.trees.push(subtree)
        }
      }
      child = this.#look(latin1Path, listed[++at])
    }
    for (; at < listed.length; child = this.#look(latin1Path, listed[++at])) if (child !== undefined) compared.same = false
    if (!scanner.isWhole) return { same: false, files: 0, bytes: 0, names: [], trees: [] }
    return compared
  }

  /** In byte order, as a tree has them: one character stands for each byte. Undefined when the directory cannot be read. */
  #list(latin1Path: string): readonly string[] | undefined {
    const { exclusions } = this.#tools
    try {
      const path = pathOf(latin1Path)
      if (exclusions.content(lstatSync(path, { bigint: true }))) return []
      const names = readdirSync(path, 'latin1').sort()
      if (!exclusions.hasMarkers) return names
      const kept = exclusions.keptNames(
        Buffer.from(latin1Path, 'latin1'),
        names.map((name) => Buffer.from(name, 'latin1')),
      )
      return kept.map((name) => Buffer.from(name).toString('latin1'))
    } catch {
      return undefined
    }
  }

  /** Undefined for what the archive would leave out without a word. What it would report is a difference. */
  #look(latin1Folder: string, name: string | undefined): Child | undefined {
    if (name === undefined) return undefined
    const { exclusions } = this.#tools
    const path = pathOf(latin1Folder === '/' ? `/${name}` : `${latin1Folder}/${name}`)
    if (exclusions.hasPatterns && exclusions.path(path.toString())) return undefined
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return undefined
    const mode = Number(stat.mode)
    if ((mode & typeMask) === socketType || exclusions.entry(stat)) return undefined
    return { name, path, stat, mode }
  }

  #isSame(child: Child, isOdd: boolean): boolean {
    if (isOdd) return this.#isSameOddNode(child)
    const { scanner, attributesKept, nodes, withAtime } = this.#tools
    const { path, stat, mode } = child
    const type = mode & typeMask
    const kind = kindOf[type]
    const [isFile, isDirectory, isLink] = [kind === kinds.file, kind === kinds.dir, kind === kinds.symlink]
    const isDevice = kind === kinds.dev || kind === kinds.chardev
    return (
      scanner.word(field.kind) === kind &&
      scanner.long(long.mtime) === stat.mtimeNs &&
      scanner.long(long.ctime) === stat.ctimeNs &&
      scanner.long(long.inode) === unsigned(stat.ino) &&
      scanner.long(long.size) === (isFile ? stat.size : 0n) &&
      scanner.long(long.atime) === (withAtime ? stat.atimeNs : stat.mtimeNs) &&
      scanner.long(long.deviceId) === unsigned(stat.dev) &&
      scanner.long(long.links) === (isFile || isLink || isDevice ? stat.nlink : 0n) &&
      scanner.long(long.device) === (isDevice ? unsigned(stat.rdev) : 0n) &&
      scanner.word(field.mode) === this.#goMode(mode) &&
      this.#hasOwner(Number(stat.uid), Number(stat.gid)) &&
      (isDirectory ? scanner.subtree !== '' : scanner.word(field.subtree) === 0) &&
      scanner.latin1(text.linkTarget) === (isLink ? readlinkSync(path, 'latin1') : '') &&
      (isFile ? this.#hasContent() : scanner.contentCount === undefined) &&
      // Attributes of links are not kept, and a plain node has none.
      (isLink || attributesKept(path, stat) || !nodes.hasAttributes(Buffer.from(path as Buffer)))
    )
  }

  /** As the archive does it. */
  #isSameOddNode({ name, path, stat, mode }: Child): boolean {
    const { scanner, nodes, stored } = this.#tools
    const before = scanner.node(name)
    const type = mode & typeMask
    const content = type === 0o100_000 ? unchangedContent(before, stat) : null
    if (content === undefined) return false
    if (content?.some((blob) => !stored.hasHexAt('data', Buffer.from(blob), 0))) return false
    const entry = { name: Buffer.from(name, 'latin1'), path: Buffer.from(path as Buffer), stat }
    const { subtree } = before
    const now = nodes.read(entry, {
      content,
      ...(type === 0o100_000 && { size: stat.size }),
      ...(type === 0o040_000 && subtree !== undefined && { subtree }),
    })
    return isSameNode(before, now)
  }

  #hasContent(): boolean {
    const { scanner, stored } = this.#tools
    return scanner.contentCount !== undefined && scanner.everyBlob((bytes, at) => stored.hasHexAt('data', bytes, at))
  }

  #goMode(mode: number): number {
    let known = this.#modes.get(mode)
    if (known === undefined) {
      known = goMode(mode)
      this.#modes.set(mode, known)
    }
    return known
  }

  #hasOwner(uid: number, gid: number): boolean {
    const { scanner, owners } = this.#tools
    if (scanner.word(field.uid) !== uid || scanner.word(field.gid) !== gid) return false
    const user = remembered(this.#users, uid, (id) => owners.user(id))
    const group = remembered(this.#groups, gid, (id) => owners.group(id))
    return scanner.latin1(text.user) === user && scanner.latin1(text.group) === group
  }
}

/** A name as the bytes of a tree have it. One with escapes there makes a node odd. */
function remembered(names: Map<number, string>, id: number, nameOf: (id: number) => string | undefined): string {
  let name = names.get(id)
  if (name === undefined) {
    name = Buffer.from(nameOf(id) ?? '').toString('latin1')
    names.set(id, name)
  }
  return name
}

function pathOf(latin1: string): string | Buffer {
  return ascii.test(latin1) ? latin1 : Buffer.from(latin1, 'latin1')
}
