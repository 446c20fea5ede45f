import { lstatSync, type BigIntStats } from 'node:fs'
import { isHoldfastError, messageOf, Places } from '../../kernel/index.ts'
import type { SaveFile, TreeNode } from '../../repository/index.ts'
import type { ArchiveContext, ArchivedTree, ArchiveStats, Skipped } from '../../backup/index.ts'
import type { Exclusions } from './exclude.ts'
import type { MadeOfFile } from './file-nodes.ts'
import type { NodeReader } from './node-reader.ts'
import { readParentTree, readSoundTree, type ParentTree } from './parent-tree.ts'
import type { TargetNode } from './targets.ts'
import { isAsBefore, TreeUnderWay, type EncodedNode, type Pending } from './tree-under-way.ts'
import type { UnchangedDirectory } from './unchanged/find-unchanged.ts'
import { listNames, type Entry, type Name } from './walk.ts'

/** Files whose content is on its way at a time: enough for every worker to have some more at hand. */
const filesUnderWay = 256

export interface ArchiveTools {
  readonly exclusions: Exclusions
  readonly nodes: NodeReader
  /** Saves a file, and makes its node. */
  readonly saveFile: SaveFile<MadeOfFile>
  /** Whether the repository holds a data blob. */
  readonly has: (blob: string) => boolean
  /** The content that a file had in the parent snapshot, if it counts as unchanged since. */
  readonly unchanged: (before: TreeNode | undefined, stat: BigIntStats) => readonly string[] | undefined
  /** Below which nothing differs from the parent, by path (one character for each byte). */
  readonly directories: ReadonlyMap<string, UnchangedDirectory>
}

/**
 * Saves the trees of targets. The walk goes on while content is read: a directory's tree is saved when the last of its entries is, and what
 * bounds memory is the number of files under way.
 *
 * A file is not read when the parent snapshot has a regular file at the same path with equal size, mtime, ctime and inode, and the
 * repository still holds all of its content (restic's rule). Metadata is always that of now.
 */
export class Archive {
  readonly #context: ArchiveContext
  readonly #exclusions: Exclusions
  readonly #nodes: NodeReader
  readonly #saveFile: SaveFile<MadeOfFile>
  readonly #has: (blob: string) => boolean
  readonly #unchanged: ArchiveTools['unchanged']
  readonly #directories: ArchiveTools['directories']
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #skipped: Skipped[] = []
  readonly #stats: { -readonly [Counter in keyof ArchiveStats]: number } = {
    filesNew: 0,
    filesChanged: 0,
    filesUnmodified: 0,
    dirsNew: 0,
    dirsChanged: 0,
    dirsUnmodified: 0,
    totalFilesProcessed: 0,
    totalBytesProcessed: 0,
  }
  /** Trees below damage that were stored or read back by now. */
  readonly #sound = new Set<string>()
  #unreadBytes = 0
  /** One character for each byte. */
  #current = ''
  readonly #places = new Places(filesUnderWay)

  constructor(
    context: ArchiveContext,
    { exclusions, nodes, saveFile, has, unchanged, directories }: ArchiveTools,
    signal: AbortSignal,
  ) {
    this.#context = context
    this.#exclusions = exclusions
    this.#nodes = nodes
    this.#saveFile = saveFile
    this.#has = has
    this.#unchanged = unchanged
    this.#directories = directories
    this.#signal = AbortSignal.any([signal, this.#stop.signal])
  }

  /** What was done so far. */
  get progress(): { filesDone: number; bytesUnread: number; current: string } {
    return {
      filesDone: this.#stats.totalFilesProcessed,
      bytesUnread: this.#unreadBytes,
      current: Buffer.from(this.#current, 'latin1').toString(),
    }
  }

  /** `root` holds the targets; its own metadata is not kept, as the tree of a snapshot has none. */
  async save(root: Extract<TargetNode, { kind: 'directory' }>): Promise<Omit<ArchivedTree, 'facts'>> {
    const parent = this.#context.parent?.tree
    const previous = await this.#previous(parent, false)
    const nodes = await this.#layout(root, previous)
    const tree = await this.#saveTree(nodes, previous)
    return { tree, stats: this.#stats, skipped: this.#skipped }
  }

  /** The entries of a directory above the targets. */
  async #layout(directory: Extract<TargetNode, { kind: 'directory' }>, previous: ParentTree): Promise<TreeUnderWay> {
    const names = [...directory.children.keys()].toSorted()
    const nodes = new TreeUnderWay(previous.children)
    for (const latin1 of names) {
      const child = directory.children.get(latin1)
      if (child === undefined) continue
      const entry = this.#look(Buffer.from(latin1, 'latin1'), child.path)
      if (entry === undefined) continue
      // What is left out is left out even if it is named, as in restic.
      if (child.kind === 'target' && this.#exclusions.entry(entry.stat)) continue
      const before = previous.children.take(latin1)
      if (child.kind === 'target') nodes.add(await this.#entry(entry, before, previous.damaged), before)
      else nodes.add(await this.#directory(entry, before, previous.damaged, (inner) => this.#layout(child, inner)), before)
    }
    return nodes
  }

  #look(name: Buffer, path: Buffer): Entry | undefined {
    try {
      return { name, path, stat: lstatSync(path, { bigint: true }) }
    } catch (error) {
      this.#skip(path, error)
      return undefined
    }
  }

  async #entry(entry: Entry, before: TreeNode | undefined, damaged: boolean): Promise<Pending> {
    this.#signal.throwIfAborted()
    if (entry.stat.isDirectory())
      return (
        this.#unchangedDirectory(entry, before, damaged) ??
        this.#directory(entry, before, damaged, (previous) => this.#children(entry, previous))
      )
    if (entry.stat.isFile()) return this.#file(entry, before)
    return { node: Promise.resolve(this.#special(entry)) }
  }

  async #children(directory: Entry, previous: ParentTree): Promise<TreeUnderWay | undefined> {
    const nodes = new TreeUnderWay(previous.children)
    const batches = listNames(directory, this.#exclusions, this.#signal)
    for (;;) {
      let batch
      try {
        batch = await batches.next()
      } catch (error) {
        this.#signal.throwIfAborted()
        this.#skip(directory.path, error)
        return undefined
      }
      if (batch.done === true) return nodes
      for (const { latin1Name, latin1Path, isFile } of batch.value) {
        const before = previous.children.take(latin1Name)
        const pending =
          isFile && before?.type !== 'file'
            ? await this.#readFile({ latin1Name, latin1Path }, before)
            : await this.#child(Buffer.from(latin1Name, 'latin1'), Buffer.from(latin1Path, 'latin1'), before, previous.damaged)
        if (pending === undefined) nodes.leaveOut(before)
        else nodes.add(pending, before)
      }
    }
  }

  /** What is in a directory. Sockets are left out, as restic does: they mean nothing without their process; and so is what vanished. */
  async #child(name: Buffer, path: Buffer, before: TreeNode | undefined, damaged: boolean): Promise<Pending | undefined> {
    let stat
    try {
      stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    } catch (error) {
      this.#skip(path, error)
      return undefined
    }
    if (stat === undefined || stat.isSocket() || this.#exclusions.entry(stat)) return undefined
    return this.#entry({ name, path, stat }, before, damaged)
  }

  async #directory(
    entry: Entry,
    before: TreeNode | undefined,
    damaged: boolean,
    walk: (previous: ParentTree) => Promise<TreeUnderWay | undefined>,
  ): Promise<Pending> {
    const previous = await this.#previous(before?.subtree, damaged)
    const nodes = await walk(previous)
    if (nodes === undefined) return { node: Promise.resolve(undefined) }
    return this.#watched(async () => {
      const subtree = await this.#saveTree(nodes, previous)
      const node = this.#read(entry, { subtree })
      if (node !== undefined) this.#count('dir', node, before)
      return node
    })
  }

  /** One of which it is known already that nothing below it differs. */
  #unchangedDirectory(entry: Entry, before: TreeNode | undefined, damaged: boolean): Pending | undefined {
    const found = damaged ? undefined : this.#directories.get(entry.path.toString('latin1'))
    if (found === undefined || found.tree !== before?.subtree) return undefined
    const node = this.#read(entry, { subtree: found.tree })
    if (node !== undefined) this.#count('dir', node, before)
    this.#stats.dirsUnmodified += found.directories
    this.#stats.filesUnmodified += found.files
    this.#stats.totalFilesProcessed += found.files
    this.#stats.totalBytesProcessed += found.bytes
    this.#unreadBytes += found.bytes
    return { node: Promise.resolve(node) }
  }

  /** Of its parent's content, if nothing says that it changed since. */
  #file(entry: Entry, before: TreeNode | undefined): Pending | Promise<Pending> {
    const { name, path, stat } = entry
    const content = this.#unchanged(before, stat)
    if (content === undefined || !content.every((blob) => this.#has(blob)))
      return this.#readFile({ latin1Name: name.toString('latin1'), latin1Path: path.toString('latin1') }, before)
    const node = this.#read(entry, { content, size: stat.size })
    if (node !== undefined) {
      this.#unreadBytes += Number(stat.size)
      this.#countFile(node, before, Number(stat.size))
    }
    return { node: Promise.resolve(node) }
  }

  async #readFile(
    { latin1Name, latin1Path }: Pick<Name, 'latin1Name' | 'latin1Path'>,
    before: TreeNode | undefined,
  ): Promise<Pending> {
    const place = await this.#places.take()
    this.#signal.throwIfAborted()
    this.#current = latin1Path
    return this.#watched(async () => {
      using _ = place
      try {
        const made = await this.#saveFile(latin1Path, this.#signal)
        if (made === undefined) return undefined
        const node = { latin1Name, text: made.node }
        this.#countFile(node, before, made.sizeBytes)
        return node
      } catch (error) {
        if (!isHoldfastError(error, 'source-unreadable')) throw error
        const { path, reason, code } = error.details
        const vanished = code === 'ENOENT' && isGone(latin1Path)
        if (!vanished) this.#skipped.push({ path: String(path), reason: String(reason) })
        return undefined
      }
    })
  }

  #countFile(node: TreeNode | EncodedNode, before: TreeNode | undefined, sizeBytes: number): void {
    this.#count('file', node, before)
    this.#stats.totalFilesProcessed++
    this.#stats.totalBytesProcessed += sizeBytes
  }

  #special(entry: Entry): TreeNode | undefined {
    return this.#read(entry, {})
  }

  /** The entry's node, with what only the caller knows. What vanished or refuses to be looked at is skipped. */
  #read(entry: Entry, known: Partial<Pick<TreeNode, 'content' | 'size' | 'subtree'>>): TreeNode | undefined {
    try {
      return this.#nodes.read(entry, known)
    } catch (error) {
      this.#skip(entry.path, error)
      return undefined
    }
  }

  /** Below damage, a tree that the repository seems to hold already is read back, and stored again when it cannot be. */
  async #saveTree(nodes: TreeUnderWay, { damaged, tree }: ParentTree): Promise<string> {
    const { isUnchanged, text } = await nodes.finish()
    if (tree !== undefined && !damaged && isUnchanged) return tree
    const { repository, writer } = this.#context
    const { id, added } = await writer.saveTree(text, this.#signal)
    if (!damaged || this.#sound.has(id)) return id
    this.#sound.add(id)
    if (!added && (await readSoundTree(repository, id, this.#signal)) === undefined)
      await writer.saveTree(text, this.#signal, { again: true })
    return id
  }

  #previous(tree: string | undefined, damaged: boolean): Promise<ParentTree> {
    return readParentTree(this.#context.repository, tree, { damaged }, this.#signal)
  }

  #count(type: 'file' | 'dir', node: TreeNode | EncodedNode, before: TreeNode | undefined): void {
    const outcome = before?.type !== type ? 'New' : isAsBefore(before, node) ? 'Unmodified' : 'Changed'
    this.#stats[`${type}s${outcome}`]++
  }

  #skip(path: Buffer, error: unknown): void {
    this.#skipped.push({ path: path.toString(), reason: messageOf(error) })
  }

  /** The first failure stops the walk; it is thrown by whoever awaits the node. */
  #watched(work: () => Promise<TreeNode | EncodedNode | undefined>): Pending {
    const node = work()
    node.catch((error: unknown) => this.#stop.abort(error))
    return { node }
  }
}

/** A name that can be looked at, and whose file cannot be opened, has not vanished, whatever the error says. */
function isGone(latin1Path: string): boolean {
  return lstatSync(Buffer.from(latin1Path, 'latin1'), { throwIfNoEntry: false }) === undefined
}
