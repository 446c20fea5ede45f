import { isHoldfastError } from '../kernel/index.ts'
import { staleAfterMs, type Repository } from '../repository/index.ts'
import type { Leftover } from '../storage/index.ts'
import type { Amount } from './prune/report.ts'
import { withLock } from './with-lock.ts'

/**
 * Temporary files of writers that were killed. What is younger than a lock can be without being stale may be of a writer that is at work:
 * WAL and the ledger are written without a lock.
 */
export async function oldLeftovers({ backend }: Repository, signal: AbortSignal): Promise<Leftover[]> {
  const found: Leftover[] = []
  for await (const leftover of backend.leftovers?.(signal) ?? []) if (leftover.ageMs > staleAfterMs) found.push(leftover)
  return found
}

/** Removes them, under an exclusive lock: whoever writes packs, indexes or snapshots holds one. */
export async function removeLeftovers(repository: Repository, signal: AbortSignal): Promise<Amount> {
  const found = await oldLeftovers(repository, signal)
  for (const { name } of found) await repository.backend.removeLeftover?.(name, signal)
  return amountOf(found)
}

/** The same where nobody is at work; nothing where somebody is, or where no lock can be written. */
export async function removeLeftoversWhenFree(repository: Repository, signal: AbortSignal): Promise<Amount> {
  if ((await oldLeftovers(repository, signal)).length === 0) return { count: 0, bytes: 0 }
  try {
    return await withLock(repository, 'exclusive', {}, signal, (both) => removeLeftovers(repository, both))
  } catch (error) {
    if (isHoldfastError(error, 'locked') || isHoldfastError(error, 'disk-full')) return { count: 0, bytes: 0 }
    throw error
  }
}

export function amountOf(found: readonly Leftover[]): Amount {
  return { count: found.length, bytes: found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
}
