import type { ArchiveContext } from '../../../backup/index.ts'
import { parseTime, type Repository } from '../../../repository/index.ts'
import type { EntryRules } from '../entry-rules.ts'
import { readSoundTree } from '../parent-tree.ts'
import type { TargetNode } from '../targets.ts'
import { createComparers } from './comparers.ts'
import { findUnchanged, type UnchangedDirectory } from './find-unchanged.ts'

/** How much was seen to be unchanged so far. */
export interface Seen {
  files: number
  bytes: number
}

interface LookOptions {
  readonly rules: EntryRules
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
  { rules, files, seen }: LookOptions,
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
      rules,
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
  const nodes = (await readSoundTree(repository, tree, signal)) ?? []
  const subtrees = new Map<string, string>()
  for (const { name, subtree } of nodes) if (subtree !== undefined) subtrees.set(name.toString('latin1'), subtree)
  return subtrees
}
