import { Peeking } from '../../kernel/index.ts'
import { encodeTree, type Repository, type TreeNode } from '../../repository/index.ts'
import { childPath } from '../list-tree.ts'
import { TreeReader } from '../tree-reader.ts'
import { BlobComparison, type BlobFigures } from './blob-comparison.ts'

/**
 * What became of an entry, in restic's letters: `+` added, `-` removed, `T` of another type, `M` other content, `U` other metadata only.
 * `M?` is a file whose content differs though nothing else does: what a failing disk leaves.
 */
export type Modifier = '+' | '-' | 'T' | 'M' | 'M?' | 'U' | 'TU'

export interface Change {
  /** Raw bytes, beginning with '/'. */
  readonly path: Buffer
  readonly isFolder: boolean
  readonly modifier: Modifier
}

export interface SideFigures extends BlobFigures {
  readonly files: number
  readonly folders: number
  readonly others: number
}

export interface DiffSummary {
  readonly changedFiles: number
  readonly added: SideFigures
  readonly removed: SideFigures
}

export interface DiffJob {
  readonly repository: Repository
  /** Ids of trees. */
  readonly before: string
  readonly after: string
  /** Tell entries whose metadata alone differs, too. */
  readonly metadata?: boolean
}

type Side = 'added' | 'removed'

/** What differs between two trees, folders before what is in them, in byte order. Throws as Repository.openTree. */
export async function diffTrees(
  { repository, before, after, metadata = false }: DiffJob,
  onChange: (change: Change) => void,
  signal: AbortSignal,
): Promise<DiffSummary> {
  const reader = new TreeReader(repository, signal)
  const blobs = new BlobComparison(repository, await repository.loadIndex(signal))
  const figures = {
    added: { files: 0, folders: 0, others: 0 },
    removed: { files: 0, folders: 0, others: 0 },
  }
  let changedFiles = 0

  function count(side: Side, { type }: TreeNode): void {
    figures[side][type === 'file' ? 'files' : type === 'dir' ? 'folders' : 'others']++
  }

  /** All that is below a folder that only one side has. */
  async function one(side: Side, tree: string, folder: Buffer, next: Iterable<string>): Promise<void> {
    blobs.noteTree(side, tree)
    for (const { node, next: others } of (await reader.read(tree, next)).inPlace()) await only(side, node, folder, others)
  }

  async function only(side: Side, node: TreeNode, folder: Buffer, next: Iterable<string>): Promise<void> {
    const path = childPath(folder, node)
    blobs.noteContent(side, node)
    onChange({ path, isFolder: node.type === 'dir', modifier: side === 'added' ? '+' : '-' })
    count(side, node)
    if (node.type === 'dir' && node.subtree !== undefined) await one(side, node.subtree, path, next)
  }

  async function both(old: TreeNode, now: TreeNode, folder: Buffer): Promise<void> {
    const path = childPath(folder, now)
    blobs.noteContent('removed', old)
    blobs.noteContent('added', now)
    const modifier = compare(old, now, metadata)
    if (modifier?.startsWith('M')) changedFiles++
    if (modifier !== undefined) onChange({ path, isFolder: now.type === 'dir', modifier })
    const [was, is] = [old.type === 'dir' ? old.subtree : undefined, now.type === 'dir' ? now.subtree : undefined]
    if (was !== undefined && is !== undefined) {
      if (was === is) blobs.noteCommon(was)
      else await compareTrees(was, is, path)
    } else if (was !== undefined) await one('removed', was, path, [])
    else if (is !== undefined) await one('added', is, path, [])
  }

  async function compareTrees(was: string, is: string, folder: Buffer): Promise<void> {
    const [old, now] = [await reader.read(was), await reader.read(is)]
    blobs.noteTree('removed', was)
    blobs.noteTree('added', is)
    for (const pair of matched(old, now)) {
      signal.throwIfAborted()
      if (pair.old === undefined) await only('added', pair.now, folder, [])
      else if (pair.now === undefined) await only('removed', pair.old, folder, [])
      else await both(pair.old, pair.now, folder)
    }
  }

  if (before === after) blobs.noteCommon(before)
  else await compareTrees(before, after, Buffer.alloc(0))
  const differing = await blobs.compare(signal)
  return {
    changedFiles,
    added: { ...figures.added, ...differing.added },
    removed: { ...figures.removed, ...differing.removed },
  }
}

type Pair =
  | { readonly old: TreeNode; readonly now: TreeNode }
  | { readonly old: undefined; readonly now: TreeNode }
  | { readonly old: TreeNode; readonly now: undefined }

/** The entries of both, those of one name together, in the order of the trees, which is that of the bytes of names. */
function* matched(old: Iterable<TreeNode>, now: Iterable<TreeNode>): Generator<Pair> {
  const [before, after] = [new Peeking(old), new Peeking(now)]
  for (;;) {
    const [was, is] = [before.next, after.next]
    if (was !== undefined && (is === undefined || Buffer.compare(was.name, is.name) < 0)) {
      before.advance()
      yield { old: was, now: undefined }
    } else if (is !== undefined) {
      const isBoth = was?.name.equals(is.name) ?? false
      if (isBoth) before.advance()
      after.advance()
      yield { old: isBoth ? was : undefined, now: is }
    } else return
  }
}

function compare(old: TreeNode, now: TreeNode, metadata: boolean): Modifier | undefined {
  if (old.type === 'file' && now.type === 'file' && !isSameList(old.content ?? [], now.content ?? []))
    return isEqual({ ...old, content: [] }, { ...now, content: [] }) ? 'M?' : 'M'
  const metadataDiffers = metadata && !isEqual(old, now)
  if (old.type !== now.type) return metadataDiffers ? 'TU' : 'T'
  return metadataDiffers ? 'U' : undefined
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at])
}

/** Whether nothing that a tree says about two nodes differs. */
function isEqual(a: TreeNode, b: TreeNode): boolean {
  return Buffer.compare(encodeTree([a]), encodeTree([b])) === 0
}
