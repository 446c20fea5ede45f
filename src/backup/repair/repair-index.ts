import { isHoldfastError, mapConcurrently, messageOf } from '../../kernel/index.ts'
import { packFileBytes, type IndexedPack, type Repository } from '../../repository/index.ts'
import { rewriteIndexes } from '../rewrite-indexes.ts'
import { withLock } from '../with-lock.ts'

const headersAtOnce = 8

export interface RepairIndexJob {
  readonly repository: Repository
  /** Believe no index: read the header of every pack. */
  readonly readAllPacks?: boolean
  readonly retryLockMs?: number
}

export interface RepairIndexProgress {
  readonly type: 'repair-index'
  readonly phase: 'packs' | 'indexes'
  readonly done: number
  readonly total: number
}

/** What a repair of the index found and did. Ids of packs and of index files. */
export interface RepairIndexReport {
  readonly packs: number
  /** Packs that no index named, or named wrong, and that are named from their own headers now. */
  readonly addedPacks: readonly string[]
  /** Packs that an index named and that are gone: what only they held is lost, and the next backup stores again what is still in its source. */
  readonly missingPacks: readonly string[]
  /** Packs whose own header cannot be read, or that are cut short. With `indexed` an index still names what they held: `repair packs` may save some. */
  readonly damagedPacks: readonly { readonly id: string; readonly reason: string; readonly indexed: boolean }[]
  /** Index files that could not be read. They are gone: what they named was looked up in the packs. */
  readonly unreadableIndexes: readonly { readonly id: string; readonly reason: string }[]
  readonly indexesWritten: number
  readonly indexesRemoved: number
  readonly durationMs: number
}

/** What the index files say, one after the other: more of them may name a pack. */
interface Stated {
  /** Packs that are there and have the size that an index gives them. */
  readonly right: Set<string>
  readonly wrong: Set<string>
  readonly missing: Set<string>
  readonly unreadable: { id: string; reason: string }[]
}

/**
 * Makes the index say what the packs say: names packs that none names, forgets those that are gone, replaces index files that cannot be
 * read. Under an exclusive lock; new indexes are durable before old ones go. Packs are neither changed nor deleted.
 */
export async function repairIndex(
  { repository, readAllPacks = false, retryLockMs = 0 }: RepairIndexJob,
  progress: (event: RepairIndexProgress) => void,
  signal: AbortSignal,
): Promise<RepairIndexReport> {
  const startMs = performance.now()
  return withLock(repository, 'exclusive', { retryForMs: retryLockMs }, signal, async (both, lock) => {
    const sizes = new Map<string, number>()
    for await (const { name, sizeBytes } of repository.backend.list('data', '', both)) sizes.set(name, sizeBytes)
    const stated = await readIndexes(repository, sizes, both)
    const toRead = [...sizes.keys()].filter((id) => readAllPacks || !stated.right.has(id))
    const { added, damaged } = await readHeaders(repository, sizes, toRead, progress, both)
    const named = new Set(added.map(({ id }) => id))
    const { written, obsolete } = await rewriteIndexes(
      {
        repository,
        // Of a pack whose header cannot be read the index is all that is left.
        stays: ({ id }) => sizes.has(id) && !named.has(id),
        replaced: new Set(stated.unreadable.map(({ id }) => id)),
        added,
        onFile: (done, total) => progress({ type: 'repair-index', phase: 'indexes', done, total }),
      },
      both,
    )
    await lock.confirm()
    for (const name of obsolete) await repository.backend.delete('index', name, both)
    repository.dropIndex()
    return {
      packs: sizes.size,
      addedPacks: [...named].filter((id) => !stated.right.has(id)),
      missingPacks: [...stated.missing],
      damagedPacks: damaged.map(({ id, reason }) => ({ id, reason, indexed: stated.right.has(id) || stated.wrong.has(id) })),
      unreadableIndexes: stated.unreadable,
      indexesWritten: written,
      indexesRemoved: obsolete.length,
      durationMs: performance.now() - startMs,
    }
  })
}

async function readIndexes(repository: Repository, sizes: ReadonlyMap<string, number>, signal: AbortSignal): Promise<Stated> {
  const stated: Stated = { right: new Set(), wrong: new Set(), missing: new Set(), unreadable: [] }
  for await (const { name } of repository.backend.list('index', '', signal)) {
    try {
      for (const { id, blobs } of await repository.readIndex(name, signal)) {
        const size = sizes.get(id)
        if (size === undefined) stated.missing.add(id)
        else if (size === packFileBytes(blobs)) stated.right.add(id)
        else stated.wrong.add(id)
      }
    } catch (error) {
      if (!isHoldfastError(error, 'object-damaged')) throw error
      stated.unreadable.push({ id: name, reason: messageOf(error) })
    }
  }
  // Whatever one index file says right, another may say wrong: the pack itself decides.
  for (const id of stated.wrong) stated.right.delete(id)
  return stated
}

async function readHeaders(
  repository: Repository,
  sizes: ReadonlyMap<string, number>,
  ids: readonly string[],
  progress: (event: RepairIndexProgress) => void,
  signal: AbortSignal,
): Promise<{ added: IndexedPack[]; damaged: { id: string; reason: string }[] }> {
  const added: IndexedPack[] = []
  const damaged: { id: string; reason: string }[] = []
  let done = 0
  await mapConcurrently(ids, headersAtOnce, async (id) => {
    try {
      added.push({ id, blobs: await repository.readPackHeader({ id, sizeBytes: sizes.get(id) ?? 0 }, signal) })
    } catch (error) {
      if (!isHoldfastError(error, 'pack-damaged') && !isHoldfastError(error, 'object-damaged')) throw error
      damaged.push({ id, reason: messageOf(error) })
    }
    progress({ type: 'repair-index', phase: 'packs', done: ++done, total: ids.length })
  })
  return { added, damaged }
}
