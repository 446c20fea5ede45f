import { isHoldfastError } from '../../kernel/index.ts'
import type { TreeNode } from '../../repository/index.ts'
import { blobKey, type CheckState, type Culprit } from './state.ts'

const examplesEach = 10

interface Found {
  readonly snapshots: Set<string>
  readonly paths: string[]
}

/**
 * Which snapshots, and which paths in them, miss something: the second walk, done only when something is lost. Trees found whole are marked
 * in one byte each; only trees that lead to a loss are remembered with whose fault it is.
 */
export async function findAffected(state: CheckState): Promise<ReadonlyMap<Culprit, Found>> {
  const { index, lost, snapshots, repository, progress, signal } = state
  const found = new Map<Culprit, Found>()
  const whole = new Uint8Array(index.size)
  const broken = new Map<string, ReadonlySet<Culprit>>()

  function blame(culprit: Culprit, path: string): void {
    const entry = found.get(culprit) ?? { snapshots: new Set(), paths: [] }
    if (entry.paths.length < examplesEach) entry.paths.push(path)
    found.set(culprit, entry)
  }

  async function walk(tree: string, path: string): Promise<ReadonlySet<Culprit>> {
    const culprits = new Set<Culprit>()
    const own = lost.get(blobKey('tree', tree))
    if (own !== undefined) {
      blame(own, path === '' ? '/' : path)
      return culprits.add(own)
    }
    const known = broken.get(tree)
    if (known) return known
    const position = index.position('tree', tree)
    if (position !== undefined && whole[position] === 1) return culprits
    signal.throwIfAborted()
    for (const node of await nodesOf(tree)) {
      const here = `${path}/${node.name.toString()}`
      if (node.type === 'dir' && node.subtree !== undefined)
        for (const culprit of await walk(node.subtree, here)) culprits.add(culprit)
      for (const culprit of lostContent(node)) {
        if (!culprits.has(culprit) || (found.get(culprit)?.paths.length ?? 0) < examplesEach) blame(culprit, here)
        culprits.add(culprit)
      }
    }
    if (culprits.size > 0) broken.set(tree, culprits)
    else if (position !== undefined && position < whole.length) whole[position] = 1
    return culprits
  }

  function lostContent(node: TreeNode): Set<Culprit> {
    return new Set((node.content ?? []).flatMap((blob) => lost.get(blobKey('data', blob)) ?? []))
  }

  async function nodesOf(tree: string): Promise<readonly TreeNode[]> {
    try {
      return await repository.readTree(tree, signal)
    } catch (error) {
      // A malformed tree has a finding of its own.
      if (isHoldfastError(error, 'object-damaged') || isHoldfastError(error, 'pack-damaged')) return []
      throw error
    }
  }

  for (const [done, snapshot] of snapshots.entries()) {
    progress({ type: 'check', phase: 'affected', done, total: snapshots.length })
    for (const culprit of await walk(snapshot.tree, '')) found.get(culprit)?.snapshots.add(snapshot.id)
  }
  return found
}
