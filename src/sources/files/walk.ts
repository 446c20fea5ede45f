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

/** Entries that are looked at in a row before others get their turn: it is several times faster synchronously, and packs must go out meanwhile. */
const batch = 256

export interface ListOptions {
  readonly exclusions: Exclusions
  /** What could not be looked at. */
  readonly onSkipped: (skipped: Skipped) => void
}

/**
 * What a directory holds, in byte order of the names, as a tree has them: a few at a time, as a million would fill the memory. Sockets are
 * left out, as restic does: they mean nothing without their process. What vanished since its name was read is left out too. Throws what
 * readdir throws.
 */
export async function* listDirectory(
  { path, stat: own }: Pick<Entry, 'path' | 'stat'>,
  { exclusions, onSkipped }: ListOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly Entry[]> {
  if (exclusions.content(own)) return
  const names = keptNames(path, await readdir(path, { encoding: 'latin1' }), exclusions)
  for (let from = 0; from < names.length; from += batch) {
    if (from > 0) await setImmediate()
    signal.throwIfAborted()
    const entries: Entry[] = []
    for (const latin1 of names.slice(from, from + batch)) {
      const name = Buffer.from(latin1, 'latin1')
      const child = joinPath(path, name)
      if (exclusions.hasPatterns && exclusions.path(child.toString())) continue
      try {
        const stat = lstatSync(child, { bigint: true, throwIfNoEntry: false })
        if (stat !== undefined && !stat.isSocket() && !exclusions.entry(stat)) entries.push({ name, path: child, stat })
      } catch (error) {
        onSkipped({ path: child.toString(), reason: messageOf(error) })
      }
    }
    yield entries
  }
}

/** Sorted. One character stands for each byte: the order of such text is that of the bytes. */
function keptNames(path: Buffer, names: string[], exclusions: Exclusions): readonly string[] {
  names.sort()
  if (!exclusions.hasMarkers) return names
  const all = names.map((name) => Buffer.from(name, 'latin1'))
  return exclusions.keptNames(path, all).map((name) => name.toString('latin1'))
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
    try {
      for await (const entries of listDirectory(directory, { exclusions, onSkipped: () => {} }, signal))
        for (const { path, stat } of entries) see(path, stat)
    } catch {
      // As far as it could be read.
    }
  }
  census.complete = true
}
