import { symlinkSync } from 'node:fs'
import { HoldfastError, runProcess } from '../../kernel/index.ts'
import type { TreeNode } from '../../repository/index.ts'
import type { Posix } from '../posix.ts'
import type { TargetDirectories } from './directories.ts'

const typeBits = { fifo: 0o010_000, chardev: 0o020_000, dev: 0o060_000 } as const

/**
 * Makes a symbolic link, FIFO or device at a path where nothing stands; `at` gives what system calls take for it. Throws Node-like errors; what cannot be made here at all (a device
 * without root) too.
 */
export async function makeSpecial(
  path: Buffer,
  node: TreeNode,
  { posix, directories: { at } }: { readonly posix: Posix | undefined; readonly directories: TargetDirectories },
  signal: AbortSignal,
): Promise<void> {
  switch (node.type) {
    case 'symlink':
      symlinkSync(Buffer.from(node.linkTarget ?? []), at(path))
      return
    case 'fifo':
    case 'chardev':
    case 'dev':
      if (posix !== undefined) posix.makeNode(at(path), typeBits[node.type] | 0o600, node.device ?? 0n)
      else if (node.type === 'fifo') await makeFifo(path, signal)
      else throw unsupported(`this Node cannot make devices (it has no node:ffi)`)
      return
    case 'file':
    case 'dir':
    case 'socket':
    case 'irregular':
      throw unsupported(`entries of type ${node.type} cannot be made`)
  }
}

/** mkfifo(1) takes its path as an argument, which must be text. */
async function makeFifo(path: Buffer, signal: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await runProcess('mkfifo', ['--', path.toString()], {}, signal)
  if (exitCode !== 0) throw unsupported(stderr.trim())
}

function unsupported(message: string): HoldfastError {
  return new HoldfastError('command-failed', { message })
}
