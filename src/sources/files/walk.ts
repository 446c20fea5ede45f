import { lstatSync, type BigIntStats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { systemCode } from '../../kernel/index.ts'
import type { Exclusions } from './exclude.ts'

/** Something in a directory. */
export interface Entry {
  readonly name: Buffer
  readonly path: Buffer
  readonly stat: BigIntStats
}

/** What the listing of a directory says. One character stands for each byte. */
export interface Name {
  readonly latin1Name: string
  readonly latin1Path: string
  /** A regular file, unless it was replaced since. */
  readonly isFile: boolean
}

/** Names that are given in a row before others get their turn: looking at each is several times faster synchronously, and packs must go out meanwhile. */
const batch = 256

/**
 * What a directory holds, in byte order of the names, as a tree has them: a few at a time. What is left out by its name is. Throws what
 * readdir throws.
 */
export async function* listNames(
  { path, stat: own }: Pick<Entry, 'path' | 'stat'>,
  exclusions: Exclusions,
  signal: AbortSignal,
): AsyncGenerator<readonly Name[]> {
  if (exclusions.content(own)) return
  const { names, others } = await readNames(path)
  const kept = keptNames(path, names, exclusions)
  const latin1Folder = path.toString('latin1')
  const prefix = latin1Folder.endsWith('/') ? latin1Folder : `${latin1Folder}/`
  for (let from = 0; from < kept.length; from += batch) {
    if (from > 0) await setImmediate()
    signal.throwIfAborted()
    yield kept.slice(from, from + batch).flatMap((latin1Name) => {
      const latin1Path = prefix + latin1Name
      if (exclusions.hasPatterns && exclusions.path(Buffer.from(latin1Path, 'latin1').toString())) return []
      return [{ latin1Name, latin1Path, isFile: !others.has(latin1Name) }]
    })
  }
}

/** Sorted: the order of such text is that of the bytes. `others` are no regular files. */
async function readNames(path: Buffer): Promise<{ names: string[]; others: ReadonlySet<string> }> {
  const others = new Set<string>()
  const names = (await readEntries(path)).map((entry) => {
    if (!entry.isFile()) others.add(entry.name)
    return entry.name
  })
  return { names: names.sort(), others }
}

async function readEntries(path: Buffer): Promise<{ name: string; isFile: () => boolean }[]> {
  try {
    return await readdir(path, { encoding: 'latin1', withFileTypes: true })
  } catch (error) {
    // Where the file system does not say what is a file, Node must look itself, which it can only by bytes.
    if (systemCode(error) !== 'ERR_INVALID_ARG_TYPE') throw error
    const entries = await readdir(path, { encoding: 'buffer', withFileTypes: true })
    return entries.map((entry) => ({ name: entry.name.toString('latin1'), isFile: () => entry.isFile() }))
  }
}

/** Names in order stay in order. */
function keptNames(path: Buffer, names: readonly string[], exclusions: Exclusions): readonly string[] {
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
  const see = (path: Buffer) => {
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined || exclusions.entry(stat)) return
    if (stat.isDirectory()) directories.push({ path, stat })
    if (!stat.isFile()) return
    census.files++
    census.bytes += Number(stat.size)
  }
  for (const target of targets) see(target)
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    signal.throwIfAborted()
    try {
      for await (const names of listNames(directory, exclusions, signal))
        for (const { latin1Path } of names) see(Buffer.from(latin1Path, 'latin1'))
    } catch {
      // As far as it could be read.
    }
  }
  census.complete = true
}
