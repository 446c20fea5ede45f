import { isHoldfastError } from '../../kernel/index.ts'
import type { Repository, TreeNode } from '../../repository/index.ts'

/** What the parent snapshot has for a directory. */
export interface ParentTree {
  /** Its id. Absent when there is none. */
  readonly tree?: string
  /** Its tree could not be read: what the repository seems to hold below must be looked at, not only looked up. */
  readonly damaged: boolean
  /** By name, bytes as latin1 text. */
  readonly children: ReadonlyMap<string, TreeNode>
}

/** A tree that is damaged or gone, or lies below such a one, is no parent: everything below is read again, which repairs what it can. */
export async function readParentTree(
  repository: Repository,
  tree: string | undefined,
  { damaged }: { readonly damaged: boolean },
  signal: AbortSignal,
): Promise<ParentTree> {
  const nodes = tree === undefined ? [] : await readSoundTree(repository, tree, signal)
  const children = new Map(nodes?.map((node) => [node.name.toString('latin1'), node]))
  return { damaged: damaged || nodes === undefined, children, ...(tree !== undefined && { tree }) }
}

/** Undefined when the tree is damaged or gone. */
export async function readSoundTree(
  repository: Repository,
  tree: string,
  signal: AbortSignal,
): Promise<readonly TreeNode[] | undefined> {
  try {
    return await repository.readTree(tree, signal)
  } catch (error) {
    const damages = ['pack-damaged', 'blob-missing', 'object-damaged'] as const
    if (damages.some((code) => isHoldfastError(error, code))) return undefined
    throw error
  }
}
