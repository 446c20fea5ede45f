import { acquireOwnerLock, type OwnerLock } from '../journal/index.ts'
import { HoldfastError, isHoldfastError } from '../kernel/index.ts'

/** A lock that only one live process has; its token grows with every taking. Throws `run-busy`, with a hint for what it is about. */
export async function soleProcess(directory: string, purpose: string, hint: string): Promise<OwnerLock> {
  try {
    return await acquireOwnerLock(directory, { purpose })
  } catch (error) {
    if (!isHoldfastError(error, 'run-busy')) throw error
    const { message, details } = error
    throw new HoldfastError('run-busy', { message, hint, details, cause: error })
  }
}
