import { join } from 'node:path'
import type { Catalog } from '../../catalog/index.ts'
import { isHoldfastError, keepChecked, mapConcurrently, readChecked, stateDirectory } from '../../kernel/index.ts'
import { clockToleranceMs } from '../../objectives/index.ts'
import { decodeSnapshot, type Repository, type Snapshot } from '../../repository/index.ts'

/** Of fewer than this nothing is kept. */
const many = 100
const filesAtOnce = 8

/** A line of the file: id, bytes of the stored form, and the JSON of the snapshot. */
type Kept = readonly [id: string, sizeBytes: number, raw: string]

/**
 * As `snapshots` of a repository, oldest first. Where there are many, they are listed, and only those are read that are new, of another size than they were, or the
 * newest of each host's paths and service: most verdicts rest on those. A snapshot's id is the hash of its object, so that it never says anything else. Whatever else
 * evidence rests on (an older one that WAL goes on from, the newest whole one, one that was restored) is believed as long as it is listed with its size: that it was
 * changed into another of the same size is for `check` to find.
 */
export async function snapshotsOf(
  repository: Repository,
  { file: catalogFile }: Pick<Catalog, 'file'>,
  now: Date,
  signal?: AbortSignal,
): Promise<Snapshot[]> {
  const sizes = await repository.snapshotSizes(signal)
  const file = join(stateDirectory(catalogFile), 'cache', `snapshots-${repository.id}.jsonl`)
  const lines = sizes.size < many ? [] : (readChecked(file) ?? '').split('\n')
  const kept = lines.flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Kept]))
  const found = new Map(
    kept
      .filter(([id, sizeBytes]) => sizes.get(id) === sizeBytes)
      .map(([id, , raw]) => [id, decodeSnapshot(id, Buffer.from(raw))]),
  )
  const news = [...sizes.keys()].filter((id) => !found.has(id))
  await mapConcurrently([...news, ...newestOfEach([...found.values()], now)], filesAtOnce, async (id) => {
    try {
      if (found.has(id)) await repository.verifySnapshot(id, signal)
      else found.set(id, await repository.readSnapshot(id, signal))
    } catch (error) {
      if (!isHoldfastError(error, 'object-missing')) throw error
      // Forgotten since it was listed.
      found.delete(id)
    }
  })
  const all = [...found.values()].sort((a, b) => a.timeMs - b.timeMs)
  if (sizes.size >= many && (news.length > 0 || kept.length !== all.length)) {
    const content = all.map(({ id, raw }) => {
      const line: Kept = [id, sizes.get(id) ?? 0, Buffer.from(raw).toString()]
      return JSON.stringify(line)
    })
    await keepChecked(file, content.join('\n'))
  }
  return all
}

/** The ids of the newest of each host's paths and service. What is dated later than now counts for nothing. */
function newestOfEach(snapshots: readonly Snapshot[], now: Date): string[] {
  const newest = new Map<string, Snapshot>()
  for (const snapshot of snapshots) {
    if (snapshot.timeMs > now.getTime() + clockToleranceMs) continue
    const { paths, hostname, tags = [] } = snapshot
    const what = JSON.stringify([hostname, paths.toSorted(), tags.filter((tag) => tag.startsWith('service:')).toSorted()])
    if (snapshot.timeMs > (newest.get(what)?.timeMs ?? -Infinity)) newest.set(what, snapshot)
  }
  return [...newest.values()].map(({ id }) => id)
}
