import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, readlink, rm, symlink, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../../kernel/index.ts'
import { goneMeanwhile, listFiles } from './objects.ts'

/** The copy carries the tag in its own name; a symbolic link gives it the name that was asked for, once it is complete. */
export function taggedCopy(copyTo: string, id: string): string {
  return `${copyTo}.holdfast-${id}`
}

/** Real copies of all files, never links to them. Where the file system can, they share their blocks until one is written to. */
export async function makeCopy(from: string, copy: string, signal: AbortSignal): Promise<void> {
  await mkdir(copy, { mode: 0o700 })
  const made = new Set<string>()
  for (const { path } of await listFiles(from, signal)) {
    signal.throwIfAborted()
    const target = join(copy, path)
    if (!made.has(dirname(target))) await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    made.add(dirname(target))
    // Removed since it was listed: what a prune removes, nothing names.
    await copyFile(join(from, path), target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch(goneMeanwhile)
    // A repository's files are read-only; their copies are to be damaged.
    await chmod(target, 0o600).catch(goneMeanwhile)
  }
}

/** Fails when anything has that name. */
export async function giveName(copyTo: string, copy: string): Promise<void> {
  await symlink(copy, copyTo)
}

/** What is there of a copy. */
export async function lookAtCopy(copyTo: string, copy: string): Promise<{ isThere: boolean; isNamed: boolean }> {
  return { isThere: (await lstat(copy).catch(goneMeanwhile)) !== undefined, isNamed: (await leadsTo(copyTo)) === copy }
}

/** The name only while it leads to the copy. */
export async function removeCopy(copyTo: string, copy: string): Promise<void> {
  if ((await leadsTo(copyTo)) === copy) await unlink(copyTo).catch(goneMeanwhile)
  await rm(copy, { recursive: true, force: true, maxRetries: 3 })
}

async function leadsTo(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EINVAL' || code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
