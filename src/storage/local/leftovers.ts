import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../kernel/index.ts'
import type { Leftover } from '../backend.ts'
import { isTemporaryName } from '../object-names.ts'

/** Where objects are written. What else stands in the folder of a repository is not ours. */
const folders = ['keys', 'locks', 'snapshots', 'index', 'data', 'holdfast']

/**
 * The temporary files of a repository: of writes that are under way, and of writers that were killed. Their age counts by the clock of the
 * storage, which the newest lock tells: that of a file server may be behind this machine's, and what is written now would look old.
 */
export async function* findLeftovers(root: string, signal?: AbortSignal): AsyncIterable<Leftover> {
  const nowMs = await newest(join(root, 'locks'))
  for await (const name of temporaries(root, signal)) {
    const stat = await statOf(join(root, name))
    if (stat?.isFile()) yield { name, sizeBytes: stat.size, ageMs: Math.max(0, nowMs - stat.mtimeMs) }
  }
}

/** Whether a name that findLeftovers gave, or claims to have given, may be removed. */
export function isLeftoverName(name: string): boolean {
  const parts = name.split('/')
  const isInside = parts.every((part) => part !== '' && part !== '.' && part !== '..')
  return isInside && isTemporaryName(name) && (parts.length === 1 || folders.includes(parts[0] ?? ''))
}

async function* temporaries(root: string, signal?: AbortSignal): AsyncIterable<string> {
  for (const { name } of await entries(root)) if (name.startsWith('config-') && isTemporaryName(name)) yield name
  const walk = async function* (folder: string): AsyncIterable<string> {
    for (const entry of await entries(join(root, folder))) {
      signal?.throwIfAborted()
      const name = `${folder}/${entry.name}`
      if (entry.isDirectory()) yield* walk(name)
      else if (isTemporaryName(name)) yield name
    }
  }
  for (const folder of folders) yield* walk(folder)
}

async function newest(locks: string): Promise<number> {
  const stats = await Promise.all((await entries(locks)).map(({ name }) => statOf(join(locks, name))))
  const times = stats.flatMap((stat) => (stat === undefined ? [] : [stat.mtimeMs]))
  return Math.min(Date.now(), ...(times.length === 0 ? [] : [Math.max(...times)]))
}

async function entries(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw error
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
