import { lstatSync, type BigIntStats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { messageOf } from '../../kernel/index.ts'
import type { Skipped } from '../../backup/index.ts'
import type { Exclusions } from './exclude.ts'
import { joinPath } from './join-path.ts'

/** Something in a directory. */
export interface Entry {
  readonly name: Buffer
  readonly path: Buffer
  readonly stat: BigIntStats
}

export interface Listing {
  /** In byte order of the names, as a tree has them. */
  readonly entries: readonly Entry[]
  /** What could not be looked at. */
  readonly skipped: readonly Skipped[]
}

/** lstat calls in a row before others get their turn: it is several times faster synchronously, and packs must go out meanwhile. */
const batch = 256

/**
 * What a directory holds. Sockets are left out, as restic does: they mean nothing without their process. What vanished since its name was
 * read is left out too. Throws what readdir throws.
 */
export async function listDirectory(
  { path, stat: own }: Pick<Entry, 'path' | 'stat'>,
  exclusions: Exclusions,
  signal: AbortSignal,
): Promise<Listing> {
  if (exclusions.content(own)) return { entries: [], skipped: [] }
  const listed = await readdir(path, { encoding: 'buffer' })
  const names = exclusions.keptNames(
    path,
    listed.sort((a, b) => Buffer.compare(a, b)),
  )
  const entries: Entry[] = []
  const skipped: Skipped[] = []
  for (const [index, name] of names.entries()) {
    if (index % batch === batch - 1) {
      await setImmediate()
      signal.throwIfAborted()
    }
    const child = joinPath(path, name)
    if (exclusions.path(child.toString())) continue
    try {
      const stat = lstatSync(child, { bigint: true, throwIfNoEntry: false })
      if (stat !== undefined && !stat.isSocket() && !exclusions.entry(stat)) entries.push({ name, path: child, stat })
    } catch (error) {
      skipped.push({ path: child.toString(), reason: messageOf(error) })
    }
  }
  return { entries, skipped }
}

/** What there is to do, as far as it is known. */
export interface Census {
  files: number
  bytes: number
  complete: boolean
}

/** Counts the regular files below the targets and their bytes, for the time left. Errors are the archive's to report. */
export async function count(
  targets: readonly Buffer[],
  exclusions: Exclusions,
  census: Census,
  signal: AbortSignal,
): Promise<void> {
  const directories: Pick<Entry, 'path' | 'stat'>[] = []
  const see = (path: Buffer, stat: BigIntStats | undefined) => {
    if (stat?.isDirectory()) directories.push({ path, stat })
    if (!stat?.isFile()) return
    census.files++
    census.bytes += Number(stat.size)
  }
  for (const target of targets) see(target, lstatSync(target, { bigint: true, throwIfNoEntry: false }))
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    signal.throwIfAborted()
    const { entries } = await listDirectory(directory, exclusions, signal).catch(() => ({ entries: [] }))
    for (const { path, stat } of entries) see(path, stat)
  }
  census.complete = true
}
