import { HoldfastError, messageOf, systemClock, type Clock } from '../../kernel/index.ts'
import { openSql, type SqlConnection } from '../connection/connect.ts'
import { sqlState } from '../connection/errors.ts'
import { formatLsn, parseLsn } from '../lsn.ts'
import type { PreparedRecovery } from './prepare.ts'

/** Where a recovered server stands, read-only, waiting to be looked at. */
export interface RecoveredPosition {
  readonly lsn: string
  /** Of the newest transaction replayed, ISO 8601; absent when none was. */
  readonly lastCommit?: string
  readonly timeline: number
}

export interface RecoveryProgress {
  readonly type: 'replay'
  readonly lsn: string | undefined
  readonly lastCommit: string | undefined
  readonly paused: boolean
}

const stateQuery = `
  select pg_is_in_recovery() as in_recovery,
         pg_last_wal_replay_lsn()::text as lsn,
         to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as last_commit,
         case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() end as pause_state`

export interface WaitOptions {
  /** Throws its reason when the server is gone: a server that meets a failure in recovery ends itself, and says why in its log. */
  readonly assertRunning?: () => Promise<void>
  readonly onProgress?: (progress: RecoveryProgress) => void
  readonly clock?: Clock
}

/**
 * Waits until replay has reached the target and pauses there. A server that does not answer yet is waited for, as long as `assertRunning`
 * does not throw. Throws `postgres-failed` when it has left recovery by itself, and `postgres-setting` when it pauses before the target.
 */
export async function waitUntilRecovered(
  url: string,
  prepared: PreparedRecovery,
  { assertRunning, onProgress, clock = systemClock }: WaitOptions = {},
  signal?: AbortSignal,
): Promise<RecoveredPosition> {
  await using connection = await connectWhenReady(url, assertRunning, clock, signal)
  for (;;) {
    await assertRunning?.()
    const [row] = await connection.query(stateQuery)
    if (row?.in_recovery !== 't') {
      throw new HoldfastError('postgres-failed', {
        message: 'the server ended its recovery without waiting at the target, so it was not inspected before it became writable',
        hint: "read the server's log: a backup without a hot-standby snapshot before the target cannot pause",
      })
    }
    const lsn = row.lsn ?? undefined
    const paused = row.pause_state === 'paused'
    onProgress?.({ type: 'replay', lsn, lastCommit: row.last_commit ?? undefined, paused })
    if (paused && lsn !== undefined) {
      if (prepared.stopLsn !== undefined && parseLsn(lsn) < parseLsn(prepared.stopLsn)) {
        const settings = await connection.query(
          "select name || ' = ' || setting as setting from pg_settings where name like 'max\\_%' and name in ('max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction') order by 1",
        )
        throw new HoldfastError('postgres-setting', {
          message: `replay paused at ${lsn}, before the target ${prepared.stopLsn}: a setting is lower than it was on the source (${settings.map((row) => row.setting).join(', ')})`,
          hint: 'its log names the setting: raise it in the data directory and start the server again; recovery goes on',
          details: { lsn, stopLsn: prepared.stopLsn },
        })
      }
      return { lsn, timeline: prepared.timeline, ...(row.last_commit ? { lastCommit: row.last_commit } : {}) }
    }
    await clock.sleep(50, signal)
  }
}

async function connectWhenReady(
  url: string,
  assertRunning: (() => Promise<void>) | undefined,
  clock: Clock,
  signal?: AbortSignal,
): Promise<SqlConnection> {
  for (;;) {
    await assertRunning?.()
    try {
      return await openSql(url, {}, signal)
    } catch (error) {
      signal?.throwIfAborted()
      const starting = sqlState(error) === '57P03' || (error instanceof HoldfastError && error.retryable && assertRunning)
      if (!starting) throw error
      await clock.sleep(50, signal)
    }
  }
}

/** A server that pauses looks up once a second; resuming wakes it at once, and it finds that it was promoted. */
async function endPause(connection: SqlConnection): Promise<void> {
  try {
    await connection.query(
      "select pg_wal_replay_resume() where pg_is_in_recovery() and pg_get_wal_replay_pause_state() = 'paused'",
    )
  } catch (error) {
    // 55000: it has woken up by itself in between.
    if (sqlState(error) !== '55000') throw error
  }
}

export interface Promoted {
  readonly timeline: number
  /** Where it began to write. */
  readonly lsn: string
}

/**
 * Promotes a server that is in recovery, and waits until it takes writes; one that is a primary already is only reported. Throws
 * `outcome-unknown` when it did not say within timeoutMs (default 60 s): it may still become one.
 */
export async function promoteServer(
  url: string,
  { timeoutMs = 60_000, clock = systemClock }: { readonly timeoutMs?: number; readonly clock?: Clock } = {},
  signal?: AbortSignal,
): Promise<Promoted> {
  const deadline = clock.monotonicMs() + timeoutMs
  let asked = false
  const unknown = (cause?: unknown) =>
    new HoldfastError('outcome-unknown', {
      message: `the server was told to become a primary, and has not within ${timeoutMs} ms${cause === undefined ? '' : `: ${messageOf(cause)}`}`,
      hint: 'it may still become one: look at `select pg_is_in_recovery()` before anything else',
      cause,
    })
  try {
    await using connection = await openSql(url, {}, signal)
    for (;;) {
      const [row] = await connection.query('select pg_is_in_recovery() as in_recovery')
      if (row?.in_recovery === 'f') break
      if (!asked) {
        asked = true
        await connection.query('select pg_promote(wait => false)')
        await endPause(connection)
      }
      if (clock.monotonicMs() > deadline) throw unknown()
      await clock.sleep(20, signal)
    }
    const [row] = await connection.query(
      "select pg_current_wal_lsn()::text as lsn, ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int as timeline, current_setting('transaction_read_only') as read_only",
    )
    if (!row?.lsn || !row.timeline || row.read_only !== 'off') throw unknown()
    return { timeline: Number(row.timeline), lsn: formatLsn(parseLsn(row.lsn)) }
  } catch (error) {
    if (!asked || (error instanceof HoldfastError && error.code === 'outcome-unknown')) throw error
    signal?.throwIfAborted()
    throw unknown(error)
  }
}
