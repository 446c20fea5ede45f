import type { HoldfastError } from '../../kernel/index.ts'
import type { BlobIndex, BlobType, Repository, Snapshot } from '../../repository/index.ts'
import { childPath } from '../list-tree.ts'
import { isDamage } from '../damage.ts'
import { BlobSet } from '../blob-set.ts'
import { TreeReader } from '../tree-reader.ts'

/** Where a snapshot needs a blob. */
export interface BlobUse {
  readonly type: BlobType
  readonly id: string
  /** Of the file, or of the folder whose tree it is; raw bytes. */
  readonly path: Buffer
  /** The tree that names it; absent for the root of a snapshot. */
  readonly parentTree?: string
  readonly snapshot: Snapshot
}

/** Ids by their beginnings. */
export interface BlobQuery {
  readonly blobs?: readonly string[]
  readonly trees?: readonly string[]
  /** Every blob in these packs. */
  readonly packs?: readonly string[]
}

export interface WantedBlobs {
  readonly wanted: BlobSet
  readonly count: number
  /** What of the query no index names. */
  readonly unknown: readonly string[]
}

/** The blobs that a query means. */
export function resolveBlobs(index: BlobIndex, { blobs = [], trees = [], packs = [] }: BlobQuery): WantedBlobs {
  const wanted = new BlobSet(index)
  const known = new Set<string>()
  let count = 0
  const prefixes = [
    ...blobs.map((prefix) => ({ prefix, of: 'data' as const })),
    ...trees.map((prefix) => ({ prefix, of: 'tree' as const })),
    ...packs.map((prefix) => ({ prefix, of: 'pack' as const })),
  ]
  for (const { type, id, pack } of index.entries()) {
    for (const { prefix, of } of prefixes) {
      const isMeant = of === 'pack' ? pack.startsWith(prefix) : of === type && id.startsWith(prefix)
      if (!isMeant) continue
      known.add(`${of}${prefix}`)
      if (wanted.add(type, id) !== undefined) count++
    }
  }
  return { wanted, count, unknown: prefixes.flatMap(({ prefix, of }) => (known.has(`${of}${prefix}`) ? [] : [prefix])) }
}

/** Searches a snapshot for blobs. */
export async function findBlobs(
  repository: Repository,
  { wanted, snapshot }: { readonly wanted: BlobSet; readonly snapshot: Snapshot },
  on: { readonly found: (use: BlobUse) => void; readonly damaged: (folder: Buffer, error: HoldfastError) => void },
  signal: AbortSignal,
): Promise<void> {
  const reader = new TreeReader(repository, signal)
  async function search(tree: string, folder: Buffer, parentTree: string | undefined, next: Iterable<string>): Promise<void> {
    signal.throwIfAborted()
    if (wanted.has('tree', tree))
      on.found({ type: 'tree', id: tree, path: folder, snapshot, ...(parentTree !== undefined && { parentTree }) })
    try {
      for (const { node, next: others } of (await reader.read(tree, next)).inPlace()) {
        const path = childPath(folder, node)
        // A blob that stands several times in a file is told once.
        for (const id of new Set(node.content))
          if (wanted.has('data', id)) on.found({ type: 'data', id, path, parentTree: tree, snapshot })
        if (node.type === 'dir' && node.subtree !== undefined) await search(node.subtree, path, tree, others)
      }
    } catch (error) {
      if (!isDamage(error)) throw error
      on.damaged(folder, error)
    }
  }
  await search(snapshot.tree, Buffer.alloc(0), undefined, [])
}
