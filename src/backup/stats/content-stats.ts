import { createHash } from 'node:crypto'
import { plaintextBytes, type TreeNode } from '../../repository/index.ts'
import { BlobSet } from '../blob-set.ts'
import { childPath } from '../list-tree.ts'
import { TreeReader } from '../tree-reader.ts'
import type { Stats, StatsJob } from './stats.ts'

/** Of each content the first file that has it counts; with blobs-per-file its blobs are those of its path. */
export async function contentStats(
  { repository, snapshots, mode, onSnapshot }: StatsJob,
  signal: AbortSignal,
): Promise<Partial<Stats> & { sizeBytes: number }> {
  const index = await repository.loadIndex(signal)
  const reader = new TreeReader(repository, signal)
  const entered = new BlobSet(index)
  const contents = new Set<string>()
  const byPath = new Map<string, Set<string>>()
  const figures = { sizeBytes: 0, files: 0, blobs: 0 }

  function countBlobs(path: string, content: readonly string[]): void {
    const blobs = byPath.get(path) ?? new Set()
    if (blobs.size === 0) figures.files++
    byPath.set(path, blobs)
    for (const id of content) {
      if (blobs.has(id)) continue
      blobs.add(id)
      const blob = index.lookup('data', id)
      figures.blobs++
      figures.sizeBytes += blob ? plaintextBytes(blob) : 0
    }
  }

  function countFile({ content, size = 0n }: TreeNode, path: Buffer): void {
    const identity = contentIdentity(content ?? [])
    if (contents.has(identity)) return
    contents.add(identity)
    if (mode === 'files-by-contents') {
      figures.files++
      figures.sizeBytes += Number(size)
    } else if (content?.length) countBlobs(path.toString('latin1'), content)
  }

  async function walk(tree: string, folder: Buffer, next: Iterable<string>): Promise<void> {
    signal.throwIfAborted()
    // What is in it was counted, wherever it was.
    if (index.has('tree', tree) && entered.add('tree', tree) === undefined) return
    for (const { node, next: others } of (await reader.read(tree, next)).inPlace()) {
      const path = childPath(folder, node)
      if (node.type === 'file') countFile(node, path)
      else if (node.type === 'dir' && node.subtree !== undefined) await walk(node.subtree, path, others)
    }
  }

  for (const [done, { tree }] of snapshots.entries()) {
    onSnapshot(done)
    await walk(tree, Buffer.alloc(0), [])
  }
  const { blobs, ...others } = figures
  return mode === 'blobs-per-file' ? { ...others, blobs } : others
}

/** 16 bytes of a hash over the ids: enough to tell any number of files apart. */
function contentIdentity(content: readonly string[]): string {
  return createHash('sha256').update(content.join('')).digest('latin1').slice(0, 16)
}
