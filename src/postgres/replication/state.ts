import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import { openSql, type ConnectOptions, type Row, type SqlConnection } from '../connection/connect.ts'
import { sqlState } from '../connection/errors.ts'
import { withDatabase } from '../connection/location.ts'
import { isReachable } from '../connection/reachable.ts'
import { parseLsn, type Lsn } from '../lsn.ts'

/** What a standby's connection to the server that it follows says. */
export interface WalReceiverState {
  /** `streaming` when all is well; PostgreSQL’s word. */
  readonly status: string
  /** Where the sender’s WAL ended when it last spoke; absent before it has. */
  readonly senderLsn: Lsn | undefined
  /** How long ago it spoke last, by the standby’s own clock. */
  readonly silentMs: number | undefined
  /**
   * When that was: ISO 8601. When it was sent, by the sender’s clock, for it may have been long under way; or when it arrived, by the standby’s, where that
   * is earlier.
   */
  readonly heardAt: string | undefined
  readonly timeline: number | undefined
  readonly slot: string | undefined
  readonly senderHost: string | undefined
  readonly senderPort: number | undefined
}

/** A server’s part in replication. */
export interface ReplicationState {
  readonly systemIdentifier: string
  readonly timeline: number
  readonly inRecovery: boolean
  /** Where a primary’s WAL ends, and where a standby’s replay is; absent before anything was replayed. */
  readonly lsn: Lsn | undefined
  /** How far a standby could replay with what it has: what it received, or replayed from elsewhere. */
  readonly heldLsn: Lsn | undefined
  readonly replay: 'running' | 'pause-requested' | 'paused'
  /** The startup process waits for more WAL: all that can be replayed has been. */
  readonly awaitsWal: boolean
  /** Absent while a standby is connected to nobody. */
  readonly receiver: WalReceiverState | undefined
  /** Seconds since 1970. */
  readonly startedAt: number
  /** As the server’s machine sees it; absent where the user may not know. */
  readonly dataDirectory: string | undefined
}

const stateQuery = `
  select pg_is_in_recovery() as in_recovery,
         (select system_identifier::text from pg_control_system()) as system_identifier,
         case when pg_is_in_recovery()
              then greatest((select timeline_id from pg_control_checkpoint()),
                            (select min_recovery_end_timeline from pg_control_recovery()), w.received_tli)
              else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int end as timeline,
         case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn,
         case when pg_is_in_recovery() then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) end as held,
         case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() end as pause_state,
         (select string_agg(wait_event, ',') from pg_stat_activity where backend_type = 'startup') as startup_waits_for,
         w.status, w.latest_end_lsn as sender_lsn, w.received_tli, w.slot_name, w.sender_host, w.sender_port,
         extract(epoch from clock_timestamp() - w.last_msg_receipt_time) * 1000 as silent_ms,
         to_char(least(w.last_msg_send_time, w.last_msg_receipt_time) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as heard_at,
         extract(epoch from pg_postmaster_start_time()) as started_at,
         (select setting from pg_settings where name = 'data_directory') as data_directory
    from (select 1) one left join pg_stat_wal_receiver w on true`

/** Wait events of a startup process that has replayed all there is (PostgreSQL documentation, "Wait Events"). */
const awaiting = new Set(['RecoveryWalStream', 'RecoveryRetrieveRetryInterval'])
const walPauses = { 'not paused': 'running', 'pause requested': 'pause-requested', paused: 'paused' } as const

/** Asks a server. Errors: those of openSql. */
export async function replicationState(
  url: string,
  signal?: AbortSignal,
  options: ConnectOptions = {},
): Promise<ReplicationState> {
  await using connection = await openSql(url, options, signal)
  return await replicationStateOn(connection)
}

export async function replicationStateOn(connection: SqlConnection): Promise<ReplicationState> {
  const [row] = await connection.query(stateQuery)
  if (row?.system_identifier === undefined || row.system_identifier === null || row.timeline === null) {
    throw new HoldfastError('permission-denied', {
      message: 'the server does not say which cluster it is, or on which timeline',
      hint: 'connect as a superuser, or grant pg_monitor to the role',
    })
  }
  return {
    systemIdentifier: row.system_identifier,
    timeline: Number(row.timeline),
    inRecovery: row.in_recovery === 't',
    lsn: lsnOf(row.lsn),
    heldLsn: lsnOf(row.held),
    replay: walPauses[(row.pause_state ?? 'not paused') as keyof typeof walPauses],
    awaitsWal: (row.startup_waits_for ?? '').split(',').some((event) => awaiting.has(event)),
    receiver: row.status === null || row.status === undefined ? undefined : receiverOf(row, row.status),
    startedAt: Number(row.started_at),
    dataDirectory: row.data_directory ?? undefined,
  }
}

function receiverOf(row: Row, status: string): WalReceiverState {
  return {
    status,
    senderLsn: lsnOf(row.sender_lsn),
    silentMs: numberOf(row.silent_ms),
    heardAt: row.heard_at ?? undefined,
    timeline: numberOf(row.received_tli),
    slot: row.slot_name ?? undefined,
    senderHost: row.sender_host ?? undefined,
    senderPort: numberOf(row.sender_port),
  }
}

/** For a server that is there, and may be frozen. */
const patienceMs = 5000

/**
 * Asks a server that may have been fenced by closing its databases: then it is asked through `postgres`, which a fence leaves open.
 * Undefined when it cannot be reached at all, or says nothing for 5 s.
 */
export async function tryReplicationState(
  url: string,
  signal?: AbortSignal,
  { reachWithinMs }: { readonly reachWithinMs?: number | undefined } = {},
): Promise<ReplicationState | undefined> {
  if (!(await isReachable(url, { withinMs: reachWithinMs }, signal))) return undefined
  for (const one of [url, withDatabase(url, 'postgres')]) {
    // It may freeze, or be cut off, between two words.
    const patience = AbortSignal.timeout(patienceMs)
    try {
      return await replicationState(one, signal === undefined ? patience : AbortSignal.any([signal, patience]))
    } catch (error) {
      signal?.throwIfAborted()
      if (patience.aborted) return undefined
      if (!isHoldfastError(error)) throw error
      // 55000: the database takes no connections, so the server is there.
      if (sqlState(error) !== '55000') return undefined
    }
  }
  return undefined
}

function lsnOf(text: string | null | undefined): Lsn | undefined {
  return text === null || text === undefined ? undefined : parseLsn(text)
}

function numberOf(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : Number(text)
}
