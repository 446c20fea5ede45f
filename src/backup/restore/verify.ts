import { HoldfastError } from '../../kernel/index.ts'
import type { BlobIndex } from '../../repository/index.ts'
import { createBreather } from './breather.ts'
import type { TargetDirectories } from './directories.ts'
import { compareContent } from './kept-content.ts'
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
    if (!(await compareContent(directories.at(path), node.content ?? [], index, breathe)).isWhole)
      throw new HoldfastError('storage-failed', {
        message: `${path.toString()} does not read back as it was written`,
        hint: 'suspect the disk or the memory of this machine, and restore elsewhere',
        details: { file: path.toString() },
      })
    verified++
  }
  return verified
}
