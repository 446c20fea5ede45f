import type { BlobIndex, BlobLocation, Repository } from '../../../repository/index.ts'
import { ownMemory } from '../../../threads/index.ts'
import type { Compared } from './calls.ts'
import type { Comparers } from './comparers.ts'

/** Directories whose trees are read together: those of a folder lie beside each other. */
const directoriesAtOnce = 64

/** A directory below which nothing differs from the parent snapshot. */
export interface UnchangedDirectory {
  /** The id of its tree. */
  readonly tree: string
  /** Below it, without itself. */
  readonly files: number
  readonly bytes: number
  readonly directories: number
}

/** A directory that is being looked at, with all that is below it. */
interface Looked {
  readonly latin1Path: string
  readonly tree: string
  readonly above: Looked | undefined
  /** Directories right below that were not looked through yet. */
  open: number
  isSame: boolean
  files: number
  bytes: number
  directories: number
  /** Paths of directories right below that are found already. */
  readonly found: string[]
}

export interface Search {
  readonly repository: Repository
  readonly index: BlobIndex
  readonly comparers: Comparers
  readonly onSeen: (files: number, bytes: number) => void
}

/**
 * Compares directories with the trees that the parent has for them, and all that is below. Gives the topmost ones below which nothing
 * differs, by path (one character for each byte): for these the archive has nothing to do.
 */
export async function findUnchanged(
  roots: readonly { readonly latin1Path: string; readonly tree: string }[],
  search: Search,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, UnchangedDirectory>> {
  const found = new Map<string, UnchangedDirectory>()
  const waiting: Looked[] = roots.map(({ latin1Path, tree }) => looked(latin1Path, tree, undefined))
  const underWay = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  while (waiting.length > 0 || underWay.size > 0) {
    signal.throwIfAborted()
    if (failure !== undefined) throw failure.error
    if (waiting.length === 0 || underWay.size >= search.comparers.lanes) {
      await Promise.race(underWay)
      continue
    }
    // The last ones first, so that few wait: deep rather than wide.
    const some = waiting.splice(-directoriesAtOnce)
    const work = look(some, search, waiting, found, signal)
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => underWay.delete(work))
    underWay.add(work)
  }
  if (failure !== undefined) throw failure.error
  return found
}

function looked(latin1Path: string, tree: string, above: Looked | undefined): Looked {
  return { latin1Path, tree, above, open: 0, isSame: true, files: 0, bytes: 0, directories: 0, found: [] }
}

async function look(
  some: readonly Looked[],
  { repository, index, comparers, onSeen }: Search,
  waiting: Looked[],
  found: Map<string, UnchangedDirectory>,
  signal: AbortSignal,
): Promise<void> {
  const byPack = new Map<string, (BlobLocation & { readonly directory: Looked })[]>()
  for (const directory of some) {
    const place = index.lookup('tree', directory.tree)
    const others = place && byPack.get(place.pack)
    if (place === undefined) settle(directory, undefined, waiting, found)
    else if (others === undefined) byPack.set(place.pack, [{ ...place, directory }])
    else others.push({ ...place, directory })
  }
  for (const [pack, places] of byPack) {
    for await (const range of repository.readPackRanges(pack, places, { signal })) {
      const entries = range.entries as typeof places
      if ('error' in range) {
        for (const { directory } of entries) settle(directory, undefined, waiting, found)
        continue
      }
      const directories = entries.map(({ directory, ...tree }) => ({ latin1Path: directory.latin1Path, tree }))
      const bytes = ownMemory(range.bytes)
      const compared = await comparers.compare({ pack, bytes, offset: range.offset, directories })
      for (const [at, { directory }] of entries.entries()) {
        const result = compared[at]
        if (result?.same) onSeen(result.files, result.bytes)
        settle(directory, result, waiting, found)
      }
    }
  }
}

/** What is below is looked at also when the directory itself differs. */
function settle(
  directory: Looked,
  result: Compared | undefined,
  waiting: Looked[],
  found: Map<string, UnchangedDirectory>,
): void {
  directory.isSame = result?.same ?? false
  directory.files = result?.files ?? 0
  directory.bytes = result?.bytes ?? 0
  const { names = [], trees = [] } = result ?? {}
  directory.open = names.length
  const { latin1Path } = directory
  // From the end, as that is where they are taken from.
  for (let at = names.length - 1; at >= 0; at--)
    waiting.push(looked(`${latin1Path === '/' ? '' : latin1Path}/${names[at]}`, trees[at] ?? '', directory))
  if (names.length === 0) close(directory, found)
}

/** All below it was looked through. What an unchanged directory holds need not be remembered beside it. */
function close(directory: Looked, found: Map<string, UnchangedDirectory>): void {
  let { above } = directory
  for (let closed: Looked = directory; ; closed = above, above = closed.above) {
    const { latin1Path, tree, isSame, files, bytes, directories } = closed
    if (isSame) {
      found.set(latin1Path, { tree, files, bytes, directories })
      for (const path of closed.found) found.delete(path)
      above?.found.push(latin1Path)
    }
    if (above === undefined) return
    above.isSame &&= isSame
    above.files += files
    above.bytes += bytes
    above.directories += directories + 1
    if (--above.open > 0) return
  }
}
