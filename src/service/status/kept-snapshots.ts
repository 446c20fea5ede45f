import { join } from 'node:path'
import type { Catalog } from '../../catalog/index.ts'
import { isHoldfastError, keepChecked, mapConcurrently, readChecked, stateDirectory } from '../../kernel/index.ts'
import { decodeSnapshot, type Repository, type Snapshot } from '../../repository/index.ts'

/** Fewer than this are read each time. */
const many = 100
const filesAtOnce = 8

/** A line of the file: id, bytes of the stored form, and the JSON of the snapshot. */
type Kept = readonly [id: string, sizeBytes: number, raw: string]

/**
 * As `snapshots` of a repository, oldest first. Where there are many, they are listed, and only those are read that are new, or of another size than they were: a
 * snapshot's id is the hash of its object, so that it never says anything else. That an object was changed into another of the same size is for `check` to find.
 */
export async function snapshotsOf(
  repository: Repository,
  { file: catalogFile }: Pick<Catalog, 'file'>,
  signal?: AbortSignal,
): Promise<Snapshot[]> {
  const sizes = await repository.snapshotSizes(signal)
  if (sizes.size < many) return repository.snapshots(signal)
  const file = join(stateDirectory(catalogFile), 'cache', `snapshots-${repository.id}.jsonl`)
  const kept = (readChecked(file) ?? '').split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Kept]))
  const found = new Map(
    kept
      .filter(([id, sizeBytes]) => sizes.get(id) === sizeBytes)
      .map(([id, , raw]) => [id, decodeSnapshot(id, Buffer.from(raw))]),
  )
  const news = [...sizes.keys()].filter((id) => !found.has(id))
  await mapConcurrently(news, filesAtOnce, async (id) => {
    try {
      found.set(id, await repository.readSnapshot(id, signal))
    } catch (error) {
      // Forgotten since it was listed.
      if (!isHoldfastError(error, 'object-missing')) throw error
    }
  })
  const all = [...found.values()].sort((a, b) => a.timeMs - b.timeMs)
  if (news.length > 0 || kept.length !== all.length) {
    const lines = all.map(({ id, raw }) => {
      const line: Kept = [id, sizes.get(id) ?? 0, Buffer.from(raw).toString()]
      return JSON.stringify(line)
    })
    await keepChecked(file, lines.join('\n'))
  }
  return all
}
