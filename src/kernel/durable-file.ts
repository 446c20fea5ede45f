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

/**
 * Writes a whole file so that a crash leaves either the old content or the new: temporary file beside it, fsync, rename, fsync of the
 * directory. Throws `disk-full` when there is no room, and removes its temporary file on any failure. With `exclusive`, exactly one of several
 * writers succeeds; the others get EEXIST.
 */
export async function writeFileDurably(
  path: string,
  data: Uint8Array | string,
  { mode = 0o600, exclusive = false } = {},
): Promise<void> {
  const temporary = `${path}-tmp-${randomHex(6)}`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (exclusive) {
      await link(temporary, path)
      await unlink(temporary)
    } else {
      await rename(temporary, path)
    }
    await syncDirectory(dirname(path))
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw diskFullOr(error, path)
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
