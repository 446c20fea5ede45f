import { link, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError, systemCode } from './errors.ts'
import { randomHex } from './hash.ts'

/** Makes a directory's entries durable: new, renamed and removed names survive a crash after this. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Never to replace: EEXIST. `also-without-links`: where a file system has no links (FAT, of disks for exchange), an empty file has the name for a moment before. */
export type Exclusive = boolean | 'also-without-links'

/**
 * Gives a file that is whole and synced its name, durably. With `exclusive` it never replaces. Unlike rename, link refuses to; unlike open(O_EXCL), it shows the
 * whole file at once.
 */
export async function giveName(temporary: string, path: string, exclusive: Exclusive): Promise<void> {
  await (exclusive === false ? rename(temporary, path) : giveNewName(temporary, path, exclusive))
  await syncDirectory(dirname(path))
}

/** What link(2) fails with where there are no links. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

async function giveNewName(temporary: string, path: string, exclusive: Exclusive): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (exclusive !== 'also-without-links' || !noLinks.has(systemCode(error) ?? '')) throw error
    // Only one can make it; then it is ours to replace.
    await (await open(path, 'wx', 0o600)).close()
    await rename(temporary, path).catch(async (failed: unknown) => {
      await unlink(path)
      throw failed
    })
    return
  }
  await unlink(temporary)
}

/**
 * Writes a whole file so that a crash leaves either the old content or the new: temporary file beside it, fsync, rename, fsync of the
 * directory. Throws `disk-full` when there is no room, and removes its temporary file on any failure. With `exclusive`, exactly one of several
 * writers succeeds; the others get EEXIST.
 */
export async function writeFileDurably(path: string, data: Uint8Array | string, options: DurableFileOptions = {}): Promise<void> {
  await using file = await createFileDurably(path, options)
  await file.write(data)
  await file.commit()
}

export interface DurableFileOptions {
  readonly mode?: number
  readonly exclusive?: Exclusive
}

/** A file that is being written. Nothing has its name before `commit` returns; disposed of without, it leaves nothing. */
export interface DurableFile extends AsyncDisposable {
  write(data: Uint8Array | string): Promise<void>
  commit(): Promise<void>
}

/** As writeFileDurably, for what is not in memory at once. */
export async function createFileDurably(
  path: string,
  { mode = 0o600, exclusive = false }: DurableFileOptions = {},
): Promise<DurableFile> {
  const temporary = `${path}-tmp-${randomHex(6)}`
  const explained = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    try {
      return await work()
    } catch (error) {
      throw diskFullOr(error, path)
    }
  }
  const handle = await explained(() => open(temporary, 'wx', mode))
  let isThere = false
  return {
    write: (data) => explained(() => handle.writeFile(data)),
    commit: () =>
      explained(async () => {
        await handle.sync()
        await handle.close()
        await giveName(temporary, path, exclusive)
        isThere = true
      }),
    async [Symbol.asyncDispose]() {
      if (isThere) return
      await handle.close().catch(() => {})
      await unlink(temporary).catch(() => {})
    },
  }
}

/** The error to throw for a failed write: a clear `disk-full` for ENOSPC and EDQUOT, the error itself for all else. */
export function diskFullOr(error: unknown, path: string): unknown {
  const code = systemCode(error)
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new HoldfastError('disk-full', {
    message: `no space left for ${path}`,
    hint: 'free space on that file system, or move the repository; what was stored before stays valid',
    cause: error,
    details: { path },
  })
}
