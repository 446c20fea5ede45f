import { HoldfastError } from '../kernel/index.ts'
import { encodeTree, isSafeNodeName, type BlobWriter, type TreeNode } from '../repository/index.ts'
import { goMode } from './file-mode.ts'

/** What an entry is, without what its place in the tree says. */
export type EntryNode = Omit<TreeNode, 'name' | 'subtree'>

interface Directory {
  readonly kind: 'directory'
  /** Undefined until its own entry comes; a directory that has none gets plain metadata. */
  node: EntryNode | undefined
  /** By name, bytes as latin1 text. */
  readonly children: Map<string, Directory | Leaf>
}

interface Leaf {
  readonly kind: 'leaf'
  readonly node: EntryNode
}

export interface BuiltTree {
  /** The id of the root tree. */
  readonly tree: string
  /** Directories below the root, those without an entry of their own included. */
  readonly directories: number
}

/**
 * Makes the trees of entries that come in any order, children before their parents too, as in a tar stream. Everything but content is
 * kept in memory until `finish`: some hundred bytes an entry.
 */
export class TreeBuilder {
  readonly #root: Directory = newDirectory()

  /**
   * `path` is relative to the root, with `/` between its names; one at the end, and a leading `./`, mean nothing. Throws
   * `source-unreadable` for a path that leads out of the root, that passes through a file, or that was added before.
   */
  add(path: string | Uint8Array, node: EntryNode): void {
    const names = namesOf(path)
    const name = names.pop()
    // The root of a snapshot has no metadata.
    if (name === undefined) return
    let directory = this.#root
    for (const step of names) {
      const child = directory.children.get(step) ?? newDirectory()
      if (child.kind === 'leaf') throw misplaced(path, 'it lies below something that is no directory')
      directory.children.set(step, child)
      directory = child
    }
    const there = directory.children.get(name)
    if (node.type !== 'dir') {
      if (there !== undefined) throw misplaced(path, 'it is there already')
      directory.children.set(name, { kind: 'leaf', node })
      return
    }
    if (there === undefined) directory.children.set(name, { ...newDirectory(), node })
    else if (there.kind === 'leaf' || there.node !== undefined) throw misplaced(path, 'it is there already')
    else there.node = node
  }

  /** Saves all trees, the innermost first. */
  async finish(writer: BlobWriter, signal?: AbortSignal): Promise<BuiltTree> {
    let directories = 0
    async function save({ children }: Directory): Promise<string> {
      const nodes: TreeNode[] = []
      for (const [latin1, child] of children) {
        const name = Buffer.from(latin1, 'latin1')
        if (child.kind === 'leaf') {
          nodes.push({ ...child.node, name })
          continue
        }
        directories++
        nodes.push({ ...(child.node ?? plainDirectory(child)), name, subtree: await save(child) })
      }
      const { id } = await writer.saveTree(encodeTree(nodes), signal)
      return id
    }
    const tree = await save(this.#root)
    return { tree, directories }
  }
}

function newDirectory(): Directory {
  return { kind: 'directory', node: undefined, children: new Map() }
}

/** For a directory that others only passed through: readable by all, as old as its newest entry, so that the same entries give the same tree. */
function plainDirectory({ children }: Directory): EntryNode {
  let newest = 0n
  for (const { node } of children.values()) if (node !== undefined && node.mtime > newest) newest = node.mtime
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  return { type: 'dir', mode: goMode(0o040_755), mtime: newest, atime: newest, ctime: newest, uid, gid, content: null }
}

function namesOf(path: string | Uint8Array): string[] {
  const names = Buffer.from(path as Uint8Array)
    .toString('latin1')
    .split('/')
    .filter((name) => name !== '' && name !== '.')
  for (const name of names)
    if (!isSafeNodeName(Buffer.from(name, 'latin1'))) throw misplaced(path, 'it leads out of its directory')
  return names
}

function misplaced(path: string | Uint8Array, why: string): HoldfastError {
  const shown = Buffer.from(path as Uint8Array).toString()
  return new HoldfastError('source-unreadable', {
    message: `the entry '${shown}' cannot be stored: ${why}`,
    details: { path: shown, reason: why },
  })
}
