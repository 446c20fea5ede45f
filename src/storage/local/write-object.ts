import { chmod, mkdir, open, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { giveName, randomHex, syncDirectory, systemCode } from '../../kernel/index.ts'
import type { Modes } from './modes.ts'

/** Buffers in one system call (IOV_MAX). */
const maxPieces = 1024

/**
 * Writes an object: temporary file in the same folder, fsync, read-only, rename (or link, when it must not exist), fsync of the folder.
 * After any failure no temporary file is left. Throws Node's errors; EEXIST when `exclusive` and it is there.
 */
export async function writeObject(path: string, pieces: readonly Uint8Array[], modes: Modes, exclusive: boolean): Promise<void> {
  const temporary = `${path}-tmp-${randomHex(6)}`
  const handle = await createFile(temporary, modes)
  try {
    try {
      await writeAll(handle, pieces)
      await handle.chmod(modes.file)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await giveName(temporary, path, exclusive)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  }
}

async function createFile(path: string, modes: Modes): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    await makeFolders(dirname(path), modes)
    return await open(path, 'wx', 0o600)
  }
}

/** Makes a folder and its missing parents, each durable. */
export async function makeFolders(path: string, modes: Modes): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: modes.folder })
  if (first === undefined) return
  for (let folder = path; ; folder = dirname(folder)) {
    // The process's umask has cut the mode of mkdir.
    await chmod(folder, modes.folder)
    await syncDirectory(dirname(folder))
    if (folder === first) return
  }
}

async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  for (let at = 0; at < pieces.length; at += maxPieces) {
    let rest = pieces.slice(at, at + maxPieces).filter((piece) => piece.length > 0)
    while (rest.length > 0) {
      const { bytesWritten } = await handle.writev(rest)
      rest = after(rest, bytesWritten)
    }
  }
}

/** What is left of the pieces behind their first `count` bytes. */
function after(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count
  return pieces.flatMap((piece) => {
    const skipped = Math.min(skip, piece.length)
    skip -= skipped
    return skipped === piece.length ? [] : [piece.subarray(skipped)]
  })
}
