import { findBlobs, resolveBlobs, type BlobQuery, type BlobUse } from '../../../backup/index.ts'
import { exitCodes, HoldfastError, printableName, shortId } from '../../../kernel/index.ts'
import type { BlobIndex, Repository, Snapshot } from '../../../repository/index.ts'
import type { Printer } from '../../output/printer.ts'
import { localTime } from '../../output/time.ts'

export interface ObjectSearch {
  readonly repository: Repository
  readonly snapshots: readonly Snapshot[]
  readonly kind: 'blob' | 'tree' | 'pack'
  readonly prefixes: readonly string[]
  /** Tell where blobs are, too. */
  readonly showPacks: boolean
}

/** Which files and folders need content, trees or packs, told by the beginnings of their ids. */
export async function findObjects(
  { repository, snapshots, kind, prefixes, showPacks }: ObjectSearch,
  print: Printer,
  signal: AbortSignal,
): Promise<void> {
  for (const prefix of prefixes)
    if (!/^[0-9a-f]{1,64}$/.test(prefix))
      throw new HoldfastError('usage', { message: `'${prefix}' is not the beginning of an id`, hint: 'give hex digits' })
  const index = await repository.loadIndex(signal)
  const query: BlobQuery = { [`${kind}s`]: prefixes }
  const { wanted, count, unknown } = resolveBlobs(index, query)
  const uses: BlobUse[] = []
  for (const snapshot of count === 0 ? [] : snapshots) {
    const on = {
      found: (use: BlobUse) => void uses.push(use),
      damaged(folder: Buffer, { message }: HoldfastError) {
        print.note(`not searched: ${folder.toString()}/ of snapshot ${shortId(snapshot.id)}: ${message}`)
        process.exitCode = exitCodes.partlyDone
      },
    }
    await findBlobs(repository, { wanted, snapshot }, on, signal)
  }
  const packsOf = ({ type, id }: BlobUse) => (showPacks ? index.lookupAll(type, id).map(({ pack }) => pack) : undefined)
  print.result({ blobs: count, unknown, uses: uses.map((use) => useJson(use, packsOf(use))) }, () =>
    usesText(uses, index, showPacks, count),
  )
  for (const prefix of unknown) print.note(`no index names a ${kind} ${prefix}`)
}

function useJson({ type, id, path, parentTree, snapshot }: BlobUse, packs: readonly string[] | undefined) {
  const { id: snapshotId, time } = snapshot
  return { type, id, path: path.toString() || '/', parentTree, snapshot: snapshotId, time, packs }
}

function usesText(uses: readonly BlobUse[], index: BlobIndex, showPacks: boolean, count: number): string {
  const lines = uses.map(({ type, id, path, snapshot }) => {
    const packs = showPacks
      ? `  in ${index
          .lookupAll(type, id)
          .map(({ pack }) => shortId(pack))
          .join(', ')}`
      : ''
    return `${type} ${shortId(id)}  snapshot ${shortId(snapshot.id)} of ${localTime(snapshot.timeMs)}  ${printableName(path.toString() || '/')}${packs}`
  })
  if (lines.length === 0)
    lines.push(count === 0 ? 'nothing was found' : `no snapshot needs ${count === 1 ? 'it' : `any of the ${count}`}`)
  return lines.join('\n')
}
