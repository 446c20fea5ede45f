import { HoldfastError, shortId } from '../kernel/index.ts'
import type { Repository, Snapshot, TreeNode } from '../repository/index.ts'
import { findNode, findSubtree } from './restore/subtree.ts'
import { TreeReader } from './tree-reader.ts'

/** An entry of a snapshot. */
export interface ListedNode {
  /** Raw bytes, from the snapshot's root, beginning with '/'. */
  readonly path: Buffer
  readonly node: TreeNode
}

export interface ListRequest {
  readonly repository: Repository
  readonly snapshot: Snapshot
  /** Only this entry and what is in it; by default everything. */
  readonly path?: string
  /** A folder that paths count from, instead of the snapshot's root. */
  readonly root?: string
  /** With `path`: what is in the folders below it too. */
  readonly recursive?: boolean
}

/** The entries of a snapshot, folders before what is in them, each folder in byte order. Throws `not-found` when nothing is at `path`. */
export async function* listTree(
  { repository, snapshot, path, root, recursive = true }: ListRequest,
  signal?: AbortSignal,
): AsyncGenerator<ListedNode> {
  const wanted = Buffer.from(path ?? '')
    .toString('latin1')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
  let tree: string | undefined = root ? await findSubtree(repository, snapshot, root, signal) : snapshot.tree
  let found: ListedNode | undefined
  let at = Buffer.alloc(0)
  for (const part of wanted) {
    const node: TreeNode | undefined =
      tree === undefined ? undefined : await findNode(repository, tree, Buffer.from(part, 'latin1'), signal)
    if (node === undefined)
      throw new HoldfastError('not-found', {
        message: `there is no ${JSON.stringify(path)} in snapshot ${shortId(snapshot.id)}`,
        hint: `\`holdfast ls ${shortId(snapshot.id)}\` lists all that is in it`,
      })
    at = childPath(at, node)
    found = { path: at, node }
    tree = node.type === 'dir' ? node.subtree : undefined
  }
  if (found) yield found
  if (tree !== undefined) yield* walk(repository, tree, at, found === undefined || recursive, signal)
}

async function* walk(
  repository: Repository,
  tree: string,
  folder: Buffer<ArrayBuffer>,
  recursive: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedNode> {
  const trees = new TreeReader(repository, signal)
  // A stack of its own: folders may be nested deeper than calls.
  const open = [{ folder, nodes: (await trees.read(tree)).inPlace() }]
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { value, done } = top.nodes.next()
    if (done) {
      open.pop()
      continue
    }
    const { node, next } = value
    const path = childPath(top.folder, node)
    yield { path, node }
    if (recursive && node.type === 'dir' && node.subtree !== undefined)
      open.push({ folder: path, nodes: (await trees.read(node.subtree, next)).inPlace() })
  }
}

export function childPath(folder: Buffer, { name }: TreeNode): Buffer<ArrayBuffer> {
  return Buffer.concat([folder, Buffer.from('/'), name])
}
