import { isHoldfastError, messageOf, shortId } from '../../kernel/index.ts'
import { isSafeNodeName, type BlobType, type TreeNode } from '../../repository/index.ts'
import { blobKey, damagePack, type CheckState } from './state.ts'

/**
 * Walks the trees of all snapshots, each tree once. Every subtree must be readable and every blob of every file indexed.
 * What was visited is one byte a blob; the way back is a stack of ids.
 */
export async function checkTrees(state: CheckState): Promise<void> {
  const { index, snapshots, progress, signal } = state
  const visited = new Uint8Array(index.size)
  for (const [done, snapshot] of snapshots.entries()) {
    const pending = [snapshot.tree]
    for (let tree = pending.pop(); tree !== undefined; tree = pending.pop()) {
      signal.throwIfAborted()
      const position = index.position('tree', tree)
      if (position === undefined) {
        loseMissing(state, 'tree', tree)
        continue
      }
      // Indexed since the walk began: too new to be in the array, and only a moment old.
      if (position < visited.length) {
        if (visited[position] === 1) continue
        visited[position] = 1
      }
      progress({ type: 'check', phase: 'snapshots', done, total: snapshots.length })
      for (const subtree of await checkTree(state, tree)) pending.push(subtree)
      state.counts.trees++
    }
  }
  progress({ type: 'check', phase: 'snapshots', done: snapshots.length, total: snapshots.length })
}

/** Gives the subtrees. Nodes are made a few at a time, of however large a tree: that it is malformed may come out after the first of them. */
async function checkTree(state: CheckState, tree: string): Promise<readonly string[]> {
  const { repository, lost, damagedPacks, findings, signal } = state
  // Its pack is missing or cut short: told already.
  if (lost.has(blobKey('tree', tree))) return []
  try {
    return checkNodes(state, tree, await repository.openTree(tree, signal))
  } catch (error) {
    if (isHoldfastError(error, 'pack-damaged')) {
      const pack = String(error.details.pack)
      const { reasons = [], blobs = [] } = damagedPacks.get(pack) ?? {}
      damagePack(state, pack, { reasons: [...reasons, messageOf(error)], blobs: [...blobs, tree] })
      lost.set(blobKey('tree', tree), pack)
    } else if (isHoldfastError(error, 'object-damaged')) {
      findings.push({ severity: 'error', code: 'tree-malformed', tree, reason: messageOf(error) })
    } else throw error
    return []
  }
}

function checkNodes(state: CheckState, tree: string, nodes: Iterable<TreeNode>): string[] {
  const subtrees: string[] = []
  let previous: Buffer | undefined
  for (const node of nodes) {
    const reason = nodeFault(node, previous)
    previous = node.name
    if (reason !== undefined) {
      const why = `${JSON.stringify(node.name.toString())} ${reason}`
      state.findings.push({ severity: 'error', code: 'tree-malformed', tree, reason: `tree ${shortId(tree)}: ${why}` })
    }
    if (node.type === 'dir' && node.subtree !== undefined) subtrees.push(node.subtree)
    for (const blob of node.content ?? []) if (!state.index.has('data', blob)) loseMissing(state, 'data', blob)
  }
  return subtrees
}

function nodeFault(node: TreeNode, previous: Buffer | undefined): string | undefined {
  if (!isSafeNodeName(node.name)) return 'is a name that leads out of its directory'
  if (previous !== undefined && Buffer.compare(previous, node.name) >= 0) return 'is not in order, or stands twice'
  if (node.type === 'file' && node.content === null) return 'is a file without a list of content'
  if (node.type === 'dir' && node.subtree === undefined) return 'is a directory without a tree'
  if (node.type === 'irregular') return 'is of no type that could be restored'
  return undefined
}

function loseMissing({ lost, damage }: CheckState, type: BlobType, blob: string): void {
  const key = blobKey(type, blob)
  lost.set(key, key)
  damage.set(key, (affected) => ({ severity: 'error', code: 'blob-missing', type, blob, ...affected }))
}
