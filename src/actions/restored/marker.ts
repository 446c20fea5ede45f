import { lstat, mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { HoldfastError, systemCode, writeFileDurably, type Json } from '../../kernel/index.ts'

const json: z.ZodType<Json> = z.json()
const marker = z.object({
  format: z.literal(1),
  /** Of the step that restores here: only the same step of the same run may wipe it. */
  key: z.string(),
  /** Of the target's folder, as device:inode:birth. The same path with another folder is not ours; inode numbers alone are used again. */
  folder: z.string(),
  /** Folders outside the target that belong to it, such as tablespaces, with their identities. */
  beside: z.array(z.object({ path: z.string(), folder: z.string() })).default([]),
  state: z.enum(['restoring', 'done']),
  /** What the step gave, once done. */
  output: json.optional(),
})

export type Marker = z.infer<typeof marker>

/** Beside the target, not in it: it must be there before the first file is, and outlive a wipe. */
export function markerPath(target: string): string {
  return join(dirname(resolve(target)), `.${basename(resolve(target))}.holdfast-restore.json`)
}

/** Undefined when nothing was restored there by a step. */
export async function readMarker(target: string): Promise<Marker | undefined> {
  try {
    return marker.parse(JSON.parse(await readFile(markerPath(target), 'utf8')))
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw new HoldfastError('identity-mismatch', {
      message: `${markerPath(target)} cannot be read, so nobody knows what is in ${target}`,
      hint: 'look into the folder; delete both when nothing in it is needed',
      cause: error,
    })
  }
}

/**
 * Makes the target, and the folders `beside` it that belong to it, ready to be restored into and says so beside it, durably. What an
 * interrupted attempt of the same step left there is removed; anything else is not: `target-not-empty`. Throws `target-unsafe` when it is not
 * a folder. All of them are for their owner alone; folders above them that are missing are made as anybody would make them.
 */
export async function beginRestore(target: string, key: string, beside: readonly string[] = []): Promise<void> {
  const existing = await readMarker(target)
  if (existing?.key === key && (await isStillThere({ path: target, folder: existing.folder }))) {
    await emptyFolder(target)
    for (const folder of existing.beside) if (await isStillThere(folder)) await emptyFolder(folder.path)
  }
  for (const path of [target, ...beside]) if (!(await isEmpty(path))) throw notEmpty(path)
  await makeFolder(target)
  const content = { format: 1, key, folder: await folderIdentity(target), state: 'restoring' } as const
  await write(target, { ...content, beside: [] })
  for (const path of beside) await makeFolder(path)
  if (beside.length > 0) await write(target, { ...content, beside: await identities(beside) })
}

/** The last thing that a restore does. */
export async function finishRestore(target: string, key: string, output: Json): Promise<void> {
  const beside = (await readMarker(target))?.beside ?? []
  await write(target, { format: 1, key, folder: await folderIdentity(target), beside, state: 'done', output })
}

/**
 * Removes what the step restored, and the marker after it. Nothing there: fine. Something there that the step did not put there:
 * `identity-mismatch`.
 */
export async function removeRestored(target: string, key: string): Promise<void> {
  const existing = await readMarker(target)
  if (existing !== undefined || !(await isEmpty(target))) {
    if (existing === undefined || existing.key !== key) throw notOurs(target)
    for (const folder of [{ path: target, folder: existing.folder }, ...existing.beside]) {
      if (!(await isAbsent(folder.path)) && !(await isStillThere(folder))) throw notOurs(folder.path)
    }
  }
  for (const { path } of existing?.beside ?? []) await rm(path, { recursive: true, force: true })
  await rm(target, { recursive: true, force: true })
  await rm(markerPath(target), { force: true })
}

async function makeFolder(path: string): Promise<void> {
  // Only the last one is private: another user, the server's, must find its way to it.
  await mkdir(dirname(path), { recursive: true })
  await mkdir(path, { recursive: true, mode: 0o700 })
}

async function identities(paths: readonly string[]): Promise<Marker['beside']> {
  return await Promise.all(paths.map(async (path) => ({ path, folder: await folderIdentity(path) })))
}

/** Whether it is the very folder that was noted, not another at its path. */
export async function isStillThere({ path, folder }: Marker['beside'][number]): Promise<boolean> {
  return !(await isAbsent(path)) && (await folderIdentity(path)) === folder
}

export async function isEmpty(target: string): Promise<boolean> {
  try {
    return (await readdir(target)).length === 0
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true
    if (systemCode(error) !== 'ENOTDIR') throw error
    throw new HoldfastError('target-unsafe', {
      message: `${target} is not a folder`,
      hint: 'name a new or empty folder',
      cause: error,
    })
  }
}

export function notEmpty(target: string): HoldfastError {
  return new HoldfastError('target-not-empty', {
    message: `${target} is not empty, and this step did not fill it`,
    hint: 'name a new or empty folder; nothing that is there is overwritten',
    details: { target },
  })
}

async function isAbsent(target: string): Promise<boolean> {
  return await lstat(target).then(
    () => false,
    (error: unknown) => systemCode(error) === 'ENOENT',
  )
}

async function emptyFolder(target: string): Promise<void> {
  for (const name of await readdir(target)) await rm(join(target, name), { recursive: true, force: true })
}

async function folderIdentity(target: string): Promise<string> {
  const { dev, ino, birthtimeNs } = await stat(await realpath(target), { bigint: true })
  return `${dev}:${ino}:${birthtimeNs}`
}

async function write(target: string, content: Marker): Promise<void> {
  await writeFileDurably(markerPath(target), `${JSON.stringify(content)}\n`)
}

function notOurs(target: string): HoldfastError {
  return new HoldfastError('identity-mismatch', {
    message: `what is in ${target} was not restored by this step, so it is not removed`,
    hint: 'look into the folder and remove it by hand when nothing in it is needed',
    details: { target },
  })
}
