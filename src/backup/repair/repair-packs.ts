import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, isHoldfastError, messageOf, shortId } from '../../kernel/index.ts'
import type { BlobEntry, BlobType, Repository } from '../../repository/index.ts'
import { rewriteIndexes } from '../rewrite-indexes.ts'
import { withLock } from '../with-lock.ts'

export interface RepairPacksJob {
  readonly repository: Repository
  /** Ids of packs, or their beginnings. */
  readonly packs: readonly string[]
  /** The folder where a copy of each pack is kept, as `pack-<id>`: what cannot be saved now may be saved by other means. */
  readonly copiesTo: string
  readonly retryLockMs?: number
}

export interface RepairPacksProgress {
  readonly type: 'repair-packs'
  readonly done: number
  readonly total: number
}

export interface LostBlob {
  readonly type: BlobType
  readonly id: string
  readonly pack: string
  readonly reason: string
}

/** What a repair of packs saved, and what it could not. */
export interface RepairPacksReport {
  readonly packs: readonly string[]
  /** Blobs that were whole, and are in new packs now. */
  readonly saved: number
  readonly savedBytes: number
  /** Blobs that were not, and that no other pack has. */
  readonly lost: readonly LostBlob[]
  /** Blobs that were not, but are whole elsewhere. */
  readonly elsewhere: number
  /** Packs of which not even what they held is known: neither an index nor their own header says. */
  readonly unknown: readonly string[]
  /** Where the copies are. */
  readonly copies: readonly string[]
}

/**
 * Moves what is whole in damaged packs into new ones, and deletes the damaged ones, after a copy of each was kept outside. Under an exclusive
 * lock. Order: copies, new packs, indexes that name them, indexes without the damaged ones, old indexes, packs: interrupted anywhere, nothing is
 * lost that was not. Packs of which nothing is known stay. Throws `not-found` for an id that no pack and no index has.
 */
export async function repairPacks(
  job: RepairPacksJob,
  progress: (event: RepairPacksProgress) => void,
  signal: AbortSignal,
): Promise<RepairPacksReport> {
  const { repository, retryLockMs = 0 } = job
  return withLock(repository, 'exclusive', { retryForMs: retryLockMs }, signal, async (both, lock) => {
    const { packs, contents } = await findPacks(job, both)
    const unknown = [...packs].filter((id) => contents.get(id) === undefined)
    const known = [...packs].filter((id) => contents.get(id) !== undefined)
    const copies = await keepCopies(job, known, both)
    repository.dropIndex()
    const index = await repository.loadIndex(both)
    // Only what is whole elsewhere counts as such.
    for (const id of packs) index.setAside(id)
    await repository.setAsideLostPacks(both)
    await using copier = await repository.createCopier(repository)
    const uncopied: LostBlob[] = []
    for (const [done, id] of known.entries()) {
      progress({ type: 'repair-packs', done, total: known.length })
      const first = await copier.copy(id, contents.get(id) ?? [], () => {}, both)
      // What was read wrong once may be read right.
      const wanted = first.map(({ entry }) => entry)
      for (const { entry, error } of wanted.length === 0 ? [] : await copier.copy(id, wanted, () => {}, both))
        uncopied.push({ type: entry.type, id: entry.id, pack: id, reason: error.message })
    }
    await copier.flush(both)
    // Header and index may name different places of one blob: it is lost when none of them had it.
    const lost = uncopied.filter(({ type, id }) => !index.has(type, id))
    const gone = new Set(known)
    const { obsolete } = await rewriteIndexes(
      { repository, stays: ({ id }) => !gone.has(id), replaced: new Set(), onFile: () => {} },
      both,
    )
    await lock.confirm()
    for (const name of obsolete) await repository.backend.delete('index', name, both)
    for (const id of known) await repository.backend.delete('data', id, both)
    repository.dropIndex()
    progress({ type: 'repair-packs', done: known.length, total: known.length })
    const { dataBlobs, treeBlobs, storedBytes } = copier.totals()
    return {
      packs: known,
      saved: dataBlobs + treeBlobs,
      savedBytes: storedBytes,
      lost,
      elsewhere: uncopied.length - lost.length,
      unknown,
      copies,
    }
  })
}

interface FoundPacks {
  readonly packs: ReadonlySet<string>
  /** What is in them, as far as any index or their own header says. */
  readonly contents: ReadonlyMap<string, readonly BlobEntry[]>
}

async function findPacks({ repository, packs: wanted }: RepairPacksJob, signal: AbortSignal): Promise<FoundPacks> {
  const sizes = new Map<string, number>()
  for await (const { name, sizeBytes } of repository.backend.list('data', '', signal)) sizes.set(name, sizeBytes)
  const blobs = new Map<string, Map<string, BlobEntry>>()
  const isWanted = (id: string) => wanted.some((prefix) => id.startsWith(prefix))
  const note = (id: string, entries: readonly BlobEntry[]) => {
    const known = blobs.get(id) ?? new Map<string, BlobEntry>()
    for (const entry of entries) known.set(`${entry.offset} ${entry.type} ${entry.id}`, entry)
    blobs.set(id, known)
  }
  for await (const { name } of repository.backend.list('index', '', signal)) {
    try {
      for (const { id, blobs } of await repository.readIndex(name, signal)) if (isWanted(id)) note(id, blobs)
    } catch (error) {
      // What it says is for `repair index` to find out.
      if (!isHoldfastError(error, 'object-damaged')) throw error
    }
  }
  for (const [id, sizeBytes] of sizes) {
    if (!isWanted(id)) continue
    try {
      note(id, await repository.readPackHeader({ id, sizeBytes }, signal))
    } catch (error) {
      if (!isHoldfastError(error, 'pack-damaged') && !isHoldfastError(error, 'object-damaged')) throw error
    }
  }
  const packs = new Set([...blobs.keys(), ...[...sizes.keys()].filter(isWanted)])
  for (const prefix of wanted) uniquePack(packs, prefix)
  return { packs, contents: new Map([...blobs].map(([id, entries]) => [id, [...entries.values()]])) }
}

function uniquePack(packs: ReadonlySet<string>, prefix: string): void {
  const found = [...packs].filter((id) => id.startsWith(prefix))
  if (found.length === 1) return
  if (found.length === 0)
    throw new HoldfastError('not-found', {
      message: `there is no pack '${prefix}', and no index names one`,
      hint: '`holdfast check --read-data` names packs that are damaged',
    })
  throw new HoldfastError('usage', {
    message: `'${prefix}' could be ${found.length} packs: ${found.slice(0, 5).map(shortId).join(', ')}`,
    hint: 'give more digits of the id',
  })
}

async function keepCopies(
  { repository, copiesTo }: RepairPacksJob,
  packs: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const copies: string[] = []
  for (const id of packs) {
    const path = join(copiesTo, `pack-${id}`)
    try {
      await writeFile(path, await repository.backend.get('data', id, { signal }), { flush: true })
      copies.push(path)
    } catch (error) {
      // Missing: there is nothing to copy.
      if (isHoldfastError(error, 'object-missing')) continue
      if (isHoldfastError(error)) throw error
      throw new HoldfastError('storage-failed', {
        message: `the copy of pack ${shortId(id)} cannot be written to ${path}, and nothing was changed: ${messageOf(error)}`,
        hint: 'name a folder with room for it: --copies-to',
        cause: error,
      })
    }
  }
  return copies
}
