import { formatDuration, HoldfastError, shortId, type Clock } from '../../kernel/index.ts'
import type { LockTimes } from './held-lock.ts'
import { isStale } from './lock-file.ts'
import type { FoundLock, LockStore } from './lock-store.ts'

const retryEveryMs = 1000

/**
 * Gives the id of our lock, once no other stands in its way: shared ones tolerate each other, an exclusive one nobody.
 * Tries again until `retryForMs` have passed, then throws `locked`.
 */
export async function acquireLock(
  store: LockStore,
  clock: Clock,
  { exclusive, retryForMs, settleMs }: { exclusive: boolean; retryForMs: number } & Pick<LockTimes, 'settleMs'>,
  signal?: AbortSignal,
): Promise<string> {
  const startMs = clock.monotonicMs()
  for (;;) {
    const attempt = await tryAcquire(store, clock, { exclusive, settleMs }, signal)
    if (typeof attempt === 'string') return attempt
    if (clock.monotonicMs() - startMs >= retryForMs) throw lockedBy(attempt, exclusive, clock.now().getTime())
    await clock.sleep(Math.min(retryEveryMs, Math.max(1, retryForMs)), signal)
  }
}

async function tryAcquire(
  store: LockStore,
  clock: Clock,
  { exclusive, settleMs }: { exclusive: boolean; settleMs: number },
  signal?: AbortSignal,
): Promise<string | FoundLock> {
  const before = conflict(await store.list(signal), exclusive)
  if (before) return before
  const own = await store.write(exclusive, clock.now().getTime(), signal)
  try {
    await clock.sleep(settleMs, signal)
    const found = await store.list(signal)
    const after = conflict(
      found.filter(({ id }) => id !== own),
      exclusive,
    )
    if (after === undefined) return own
    await store.remove(own)
    return after
  } catch (error) {
    await store.remove(own)
    throw error
  }
}

function conflict(found: readonly FoundLock[], exclusive: boolean): FoundLock | undefined {
  return found.find(({ info }) => exclusive || info === undefined || info.exclusive)
}

function lockedBy({ id, info }: FoundLock, exclusive: boolean, nowMs: number): HoldfastError {
  const wanted = exclusive ? ' (exclusive use was wanted)' : ''
  if (info === undefined)
    return new HoldfastError('locked', {
      message: `the repository is locked by ${shortId(id)}, which cannot be read${wanted}`,
      hint: 'when nothing else works on the repository, run `holdfast unlock --remove-all`',
      details: { lock: id },
    })
  const stale = isStale(info, nowMs)
  const age = formatDuration(Math.max(0, nowMs - info.timeMs))
  const kind = info.exclusive ? 'exclusively ' : ''
  return new HoldfastError('locked', {
    message: `the repository is ${kind}locked by process ${info.pid} of ${info.username}@${info.hostname} since ${age}${wanted}`,
    hint: stale
      ? 'that process is gone or silent for half an hour: run `holdfast unlock`'
      : 'wait until it has ended and run this again',
    retryable: !stale,
    details: { lock: id, ...info, stale },
  })
}
