import type { TreeNode } from '../../repository/index.ts'
import { TreeReader } from '../tree-reader.ts'
import type { Stats, StatsJob } from './stats.ts'

interface Sums {
  sizeBytes: number
  files: number
  folders: number
  others: number
}

/** As many folders are remembered: about a hundred megabytes. */
const maxRemembered = 500_000

/** A folder that was counted before is not read again, unless a file with several names is below it: those count once in each snapshot. */
export async function restoreSizeStats(
  { repository, snapshots, onSnapshot }: StatsJob,
  signal: AbortSignal,
): Promise<Partial<Stats> & Sums> {
  const reader = new TreeReader(repository, signal)
  const remembered = new Map<string, Sums>()
  const total = noSums()

  async function count(tree: string, seen: Set<string>, next: Iterable<string>): Promise<{ sums: Sums; hasLinks: boolean }> {
    signal.throwIfAborted()
    const known = remembered.get(tree)
    if (known !== undefined) return { sums: known, hasLinks: false }
    const sums = noSums()
    let hasLinks = false
    for (const { node, next: others } of (await reader.read(tree, next)).inPlace()) {
      const identity = identityOf(node)
      if (identity !== undefined) hasLinks = true
      sums[node.type === 'file' ? 'files' : node.type === 'dir' ? 'folders' : 'others']++
      if (identity === undefined || !seen.has(identity)) sums.sizeBytes += Number(node.size ?? 0n)
      if (identity !== undefined) seen.add(identity)
      if (node.type !== 'dir' || node.subtree === undefined) continue
      const inner = await count(node.subtree, seen, others)
      add(sums, inner.sums)
      hasLinks ||= inner.hasLinks
    }
    if (!hasLinks && remembered.size < maxRemembered) remembered.set(tree, sums)
    return { sums, hasLinks }
  }

  for (const [done, { tree }] of snapshots.entries()) {
    onSnapshot(done)
    add(total, (await count(tree, new Set(), [])).sums)
  }
  return total
}

function noSums(): Sums {
  return { sizeBytes: 0, files: 0, folders: 0, others: 0 }
}

function add(sums: Sums, more: Sums): void {
  for (const key of ['sizeBytes', 'files', 'folders', 'others'] as const) sums[key] += more[key]
}

/** Of a file with several names. */
function identityOf({ type, links = 0n, inode, deviceId = 0n }: TreeNode): string | undefined {
  return type === 'file' && links > 1n && inode !== undefined ? `${deviceId}:${inode}` : undefined
}
