import { hash } from 'node:crypto'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { HoldfastError } from '../../kernel/index.ts'
import { maxBlobBytes, plaintextBytes, type BlobIndex } from '../../repository/index.ts'
import { createBreather, type Breather } from './breather.ts'
import type { TargetDirectories } from './directories.ts'
import type { PlannedFile } from './plan.ts'

/**
 * Reads restored files back and compares their content with the hashes that the snapshot names. Gives how many were compared. Throws
 * `storage-failed`, naming the first file that differs: the target does not keep what is written to it.
 */
export async function verifyFiles(
  files: Iterable<PlannedFile>,
  { index, directories }: { readonly index: BlobIndex; readonly directories: TargetDirectories },
  signal: AbortSignal,
): Promise<number> {
  const breathe = createBreather(signal)
  let verified = 0
  for (const { path, node } of files) {
    signal.throwIfAborted()
    if (!(await contentMatches(directories.at(path), node.content ?? [], index, breathe)))
      throw new HoldfastError('storage-failed', {
        message: `${path.toString()} does not read back as it was written`,
        hint: 'suspect the disk or the memory of this machine, and restore elsewhere',
        details: { file: path.toString() },
      })
    verified++
  }
  return verified
}

/** Whether a regular file has this content, and nothing behind it. */
export async function contentMatches(
  path: Buffer,
  content: readonly string[],
  index: BlobIndex,
  breathe: Breather,
): Promise<boolean> {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    for (const id of content) {
      await breathe()
      const location = index.lookup('data', id)
      if (location === undefined || plaintextBytes(location) > maxBlobBytes) return false
      const bytes = Buffer.alloc(plaintextBytes(location))
      let filled = 0
      while (filled < bytes.length) {
        const count = readSync(file, bytes, filled, bytes.length - filled, null)
        if (count === 0) return false
        filled += count
      }
      if (hash('sha256', bytes) !== id) return false
    }
    return readSync(file, Buffer.alloc(1)) === 0
  } finally {
    closeSync(file)
  }
}
