import { availableParallelism } from 'node:os'
import { HoldfastError, shortId } from '../../kernel/index.ts'
import type { BlobCopier, BlobEntry } from '../../repository/index.ts'
import { BitSet } from '../bit-set.ts'
import { packAction } from './plan.ts'
import type { Amount, PruneProgress } from './report.ts'
import type { PruneJob } from './request.ts'
import type { Survey } from './survey.ts'

/**
 * Threads, and packs read at the same time: one more, so that no thread waits for storage. Each thread takes some 70 MB; with half as many as
 * there are processors the rest of the work, reading, hashing and writing packs, has as much as it needs.
 */
const workers = Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2)))
const packsAtOnce = workers + 1
/** Stored bytes that are read, opened and sealed in one go: what is in memory at once is several times as much, for each pack. */
const partBytes = 4 * 1024 * 1024

/**
 * Moves the used blobs of packs that are to go into new packs, and names those in the index: adds, and deletes nothing, so that it may run
 * beside backups. Whatever packs an unreadable index may have named are named anew, too. Throws `pack-damaged` when a blob that is needed
 * can be had whole nowhere.
 */
export async function repack(
  { repository, repackUncompressed = false, packBytes }: PruneJob,
  found: Survey,
  progress: (event: PruneProgress) => void,
  signal: AbortSignal,
): Promise<Amount> {
  const { index, actions } = found
  const wanted = blobsToMove(found)
  const packs = [...index.packs()].filter((_, number) => actions[number] === packAction.repack)
  if (packs.length === 0 && repository.unreadableIndexes.length === 0) return { count: 0, bytes: 0 }
  await using copier = await repository.createCopier(repository, {
    workers,
    ...(repackUncompressed && { compress: true }),
    ...(packBytes !== undefined && { packBytes }),
  })
  const told = repackProgress(packs.length, wanted.bytes, progress)
  const queue = packs.values()
  const lane = async () => {
    for (const pack of queue) {
      const entries = await repository.readPackHeader(pack, signal)
      const taken = entries.filter(({ type, id }) => wanted.blobs.delete(index.position(type, id) ?? -1))
      for (const part of partsOf(taken))
        for (const { entry, error } of await copier.copy(pack.id, part, told.onBytes, signal))
          await copyFromElsewhere(entry, pack.id, error)
      told.onPack()
    }
  }
  const copyFromElsewhere = async (entry: BlobEntry, damaged: string, error: HoldfastError): Promise<void> => {
    for (const place of index.lookupAll(entry.type, entry.id))
      if (place.pack !== damaged && (await isCopied(copier, place.pack, place, signal))) return
    throw new HoldfastError('pack-damaged', {
      message: `a blob that snapshots need cannot be read, and nothing was deleted: ${error.message}`,
      hint: `run \`holdfast repair packs ${shortId(damaged)}\`, then prune again`,
      cause: error,
      details: error.details,
    })
  }
  told.onPack(0)
  await Promise.all(Array.from({ length: packsAtOnce }, lane))
  await copier.flush(signal)
  const { dataBlobs, treeBlobs, storedBytes } = copier.totals()
  return { count: dataBlobs + treeBlobs, bytes: storedBytes }
}

/** What a repack would move, for a dry run. */
export function amountToMove(found: Survey): Amount {
  const { blobs, bytes } = blobsToMove(found)
  let count = 0
  for (const _ of blobs.values()) count++
  return { count, bytes }
}

/** The used blobs that only packs which are to go have. */
function blobsToMove({ index, used, actions }: Survey): { blobs: BitSet; bytes: number } {
  const blobs = new BitSet(index.size)
  const stay = new BitSet(index.size)
  index.eachPlace((position, pack) => {
    if (actions[pack] === packAction.keep) stay.add(position)
  })
  let bytes = 0
  index.eachPlace((position, pack, _type, length) => {
    if (actions[pack] !== packAction.repack || !used.has(position) || stay.has(position)) return
    if (blobs.add(position)) bytes += length
  })
  return { blobs, bytes }
}

/** In the order of the header, which is that of their places. */
function* partsOf(entries: readonly BlobEntry[]): Generator<BlobEntry[]> {
  let part: BlobEntry[] = []
  let bytes = 0
  for (const entry of entries) {
    part.push(entry)
    bytes += entry.length
    if (bytes < partBytes) continue
    yield part
    part = []
    bytes = 0
  }
  if (part.length > 0) yield part
}

async function isCopied(copier: BlobCopier, pack: string, entry: BlobEntry, signal: AbortSignal): Promise<boolean> {
  return (await copier.copy(pack, [entry], () => {}, signal)).length === 0
}

function repackProgress(total: number, bytesTotal: number, progress: (event: PruneProgress) => void) {
  const startMs = performance.now()
  let [done, bytesDone] = [0, 0]
  const tell = () => {
    const etaMs = bytesDone === 0 ? undefined : ((performance.now() - startMs) / bytesDone) * (bytesTotal - bytesDone)
    progress({
      type: 'prune',
      phase: 'blobs',
      done,
      total,
      bytesDone,
      bytesTotal,
      ...(etaMs !== undefined && { etaMs: Math.max(0, Math.round(etaMs)) }),
    })
  }
  return {
    onPack: (count = 1) => {
      done += count
      tell()
    },
    onBytes: (bytes: number) => {
      bytesDone += bytes
      tell()
    },
  }
}
