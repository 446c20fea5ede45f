import { HoldfastError, isHoldfastError, messageOf, systemCode } from '../../kernel/index.ts'
import type { TargetDirectories } from './directories.ts'

/** What a failed system call on the target means to whoever restores; other errors as they are. */
export function targetError(error: unknown, directories: TargetDirectories): unknown {
  if (isHoldfastError(error) || !(error instanceof Error) || !('syscall' in error)) return error
  const code = systemCode(error)
  const parts = { message: directories.inWords(messageOf(error)), cause: error, details: { systemCode: code } }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new HoldfastError('disk-full', { ...parts, hint: 'free space there, or restore to another place' })
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new HoldfastError('permission-denied', { ...parts, hint: 'restore to a place that you may write to' })
  return new HoldfastError('storage-failed', { ...parts, hint: 'restore into a new directory, or to another file system' })
}

/** Whether the target can take everything but this name: it is too long or not allowed there, or a directory stands in its place. */
export function isRefusedName(error: unknown): boolean {
  return ['ENAMETOOLONG', 'EILSEQ', 'EINVAL', 'EISDIR'].includes(systemCode(error) ?? '')
}
