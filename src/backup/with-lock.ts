import type { Repository, RepositoryLock } from '../repository/index.ts'

/**
 * Works under a shared lock; `work` gets a signal that aborts with the caller's or when the lock is lost. When storage dies, the lock
 * cannot be given back either: what is thrown then is why the work failed, not that.
 */
export async function withSharedLock<Result>(
  repository: Repository,
  signal: AbortSignal,
  work: (signal: AbortSignal, lock: RepositoryLock) => Promise<Result>,
): Promise<Result> {
  try {
    await using lock = await repository.lock('shared', {}, signal)
    return await work(AbortSignal.any([signal, lock.signal]), lock)
  } catch (error) {
    throw error instanceof SuppressedError ? error.suppressed : error
  }
}
