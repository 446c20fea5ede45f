import type { Repository, RepositoryLock } from '../repository/index.ts'

/**
 * Works under a lock; `work` gets a signal that aborts with the caller's or when the lock is lost. When storage dies, the lock cannot be
 * given back either: what is thrown then is why the work failed, not that.
 */
export async function withLock<Result>(
  repository: Repository,
  mode: 'shared' | 'exclusive',
  options: { readonly retryForMs?: number },
  signal: AbortSignal,
  work: (signal: AbortSignal, lock: RepositoryLock) => Promise<Result>,
): Promise<Result> {
  try {
    await using lock = await repository.lock(mode, options, signal)
    return await work(AbortSignal.any([signal, lock.signal]), lock)
  } catch (error) {
    throw error instanceof SuppressedError ? error.suppressed : error
  }
}

/** As withLock, to read or to add. */
export function withSharedLock<Result>(
  repository: Repository,
  signal: AbortSignal,
  work: (signal: AbortSignal, lock: RepositoryLock) => Promise<Result>,
): Promise<Result> {
  return withLock(repository, 'shared', {}, signal, work)
}
