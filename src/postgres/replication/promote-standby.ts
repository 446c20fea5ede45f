import { HoldfastError, systemClock, type Clock } from '../../kernel/index.ts'
import { openSql, type SqlConnection } from '../connection/connect.ts'
import { sqlState } from '../connection/errors.ts'
import { describeUrl } from '../connection/location.ts'
import { formatLsn } from '../lsn.ts'
import { replicationStateOn, type ReplicationState } from './state.ts'

const pollMs = 50

/**
 * Waits until a standby has replayed all that it holds. What it received may end within a record, so a startup process that waits for more
 * has replayed all there is. Throws `timed-out`, and `postgres-failed` when replay is paused or it has left recovery.
 */
export async function waitUntilReplayed(
  url: string,
  { timeoutMs, clock = systemClock }: { readonly timeoutMs: number; readonly clock?: Clock },
  signal: AbortSignal,
): Promise<ReplicationState> {
  await using connection = await openSql(url, {}, signal)
  const deadlineMs = clock.monotonicMs() + timeoutMs
  for (let before: ReplicationState | undefined; ;) {
    const state = await replicationStateOn(connection)
    if (!state.inRecovery) {
      throw new HoldfastError('postgres-failed', { message: `the server at ${describeUrl(url)} is no standby any more` })
    }
    if (state.replay !== 'running') throw replayPaused(url)
    const { lsn, heldLsn } = state
    if (lsn !== undefined && heldLsn !== undefined && lsn >= heldLsn) return state
    // Twice, so that it was not between two records.
    if (state.awaitsWal && before?.awaitsWal === true && before.lsn === lsn && before.heldLsn === heldLsn) return state
    before = state
    if (clock.monotonicMs() > deadlineMs) {
      throw new HoldfastError('timed-out', {
        message: `the standby at ${describeUrl(url)} has received WAL up to ${formatLsn(heldLsn ?? 0n)} and replayed it only to ${formatLsn(lsn ?? 0n)}`,
        hint: 'it goes on replaying: run the step again, with more time',
        retryable: true,
      })
    }
    await clock.sleep(pollMs, signal)
  }
}

export function replayPaused(url: string): HoldfastError {
  return new HoldfastError('postgres-failed', {
    message: `replay is paused on the standby at ${describeUrl(url)}: what it has received is not all applied`,
    hint: 'find out who paused it and why, then `select pg_wal_replay_resume()` there',
    details: { problem: 'replay-paused' },
  })
}

/**
 * Whether a server that is still in recovery has been told to become a primary. Told, it may become one at any time. pg_promote leaves a file
 * until the startup process has seen it; from then on resuming replay is refused with 55000 ("standby promotion is ongoing"). Resuming is
 * only tried where nothing is paused, so that it changes nothing. Throws `permission-denied` for a role that may not ask.
 */
export async function isBeingPromoted(connection: SqlConnection): Promise<boolean> {
  const [file] = await connection.query(`select (pg_stat_file('promote', true)).modification is not null as there`)
  if (file?.there === 't') return true
  try {
    await connection.query(`select pg_wal_replay_resume() where pg_is_in_recovery() and not pg_is_wal_replay_paused()`)
    return false
  } catch (error) {
    if (sqlState(error) === '55000') return true
    throw error
  }
}

/** What became of a promotion that was asked for, or may have been. */
export type PromotionState =
  | { readonly state: 'standby'; readonly systemIdentifier: string }
  | { readonly state: 'promoting'; readonly systemIdentifier: string }
  | { readonly state: 'primary'; readonly timeline: number; readonly systemIdentifier: string }

/** Looks, and waits up to `timeoutMs` for a promotion under way to end. Errors: those of openSql. */
export async function promotionState(
  url: string,
  { timeoutMs, clock = systemClock }: { readonly timeoutMs: number; readonly clock?: Clock },
  signal: AbortSignal,
): Promise<PromotionState> {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    await using connection = await openSql(url, {}, signal)
    const { inRecovery, timeline, systemIdentifier } = await replicationStateOn(connection)
    if (!inRecovery) return { state: 'primary', timeline, systemIdentifier }
    // It may have become a primary between the two questions; then nothing is refused, and the next look tells.
    if (!(await isBeingPromoted(connection))) {
      const again = await replicationStateOn(connection)
      if (again.inRecovery) return { state: 'standby', systemIdentifier }
      continue
    }
    if (clock.monotonicMs() > deadlineMs) return { state: 'promoting', systemIdentifier }
    await clock.sleep(pollMs, signal)
  }
}
