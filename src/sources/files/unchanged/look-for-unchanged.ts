import type { ArchiveContext } from '../../../backup/index.ts'
import { isHoldfastError } from '../../../kernel/index.ts'
import { parseTime, type Repository, type TreeNode } from '../../../repository/index.ts'
import { excludeOptionsOf, type ExcludeOptions } from '../exclude.ts'
import type { TargetNode } from '../targets.ts'
import { createComparers } from './comparers.ts'
import { findUnchanged, type UnchangedDirectory } from './find-unchanged.ts'

/** How much was seen to be unchanged so far. */
export interface Seen {
  files: number
  bytes: number
}

interface LookOptions extends ExcludeOptions {
  readonly withAtime?: boolean
  /** Those that the targets are on, when others are left out. */
  readonly devices: readonly bigint[]
  /** As many as are expected. */
  readonly files: number
  readonly seen: Seen
}

/**
 * The directories of the targets below which nothing differs from the parent snapshot, by path. Found without reading a tree's nodes into
 * objects, in threads: most of what most backups look at has not changed. The archive needs no look at what is in these.
 */
export async function lookForUnchanged(
  { repository, parent }: ArchiveContext,
  root: Extract<TargetNode, { kind: 'directory' }>,
  { withAtime = false, devices, files, seen, ...options }: LookOptions,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, UnchangedDirectory>> {
  if (parent === undefined) return new Map()
  const roots = await treesOf(root, parent.tree, repository, signal)
  if (roots.length === 0) return new Map()
  const index = await repository.loadIndex(signal)
  const begun = parent.summary?.backup_start
  await using comparers = await createComparers(
    {
      keys: repository.threadKeys,
      stored: index.share(),
      excludes: excludeOptionsOf(options),
      devices,
      withAtime,
      recordedSinceNs: typeof begun === 'string' ? parseTime(begun) : undefined,
    },
    files,
  )
  const onSeen = (moreFiles: number, moreBytes: number) => {
    seen.files += moreFiles
    seen.bytes += moreBytes
  }
  return await findUnchanged(roots, { repository, index, comparers, onSeen }, signal)
}

/** The targets that are folders, with the trees that the parent has for them. */
async function treesOf(
  { children }: Extract<TargetNode, { kind: 'directory' }>,
  tree: string,
  repository: Repository,
  signal: AbortSignal,
): Promise<{ latin1Path: string; tree: string }[]> {
  const subtrees = await subtreesOf(tree, repository, signal)
  const found: { latin1Path: string; tree: string }[] = []
  for (const [name, child] of children) {
    const subtree = subtrees.get(name)
    if (subtree === undefined) continue
    if (child.kind === 'target') found.push({ latin1Path: child.path.toString('latin1'), tree: subtree })
    else found.push(...(await treesOf(child, subtree, repository, signal)))
  }
  return found
}

/** None when the tree cannot be read, which the archive will notice. */
async function subtreesOf(tree: string, repository: Repository, signal: AbortSignal): Promise<Map<string, string>> {
  let nodes: readonly TreeNode[] = []
  try {
    nodes = await repository.readTree(tree, signal)
  } catch (error) {
    const damages = ['pack-damaged', 'blob-missing', 'object-damaged'] as const
    if (!damages.some((code) => isHoldfastError(error, code))) throw error
  }
  return new Map(nodes.flatMap(({ name, subtree }) => (subtree === undefined ? [] : [[name.toString('latin1'), subtree]])))
}
