import { HoldfastError } from '../../kernel/index.ts'
import { parseLsn, type Lsn } from '../lsn.ts'
import { openSql, type Row, type SqlConnection } from './connect.ts'

export interface ServerFacts {
  /** The major version. */
  readonly version: number
  /** 150018 for 15.18. */
  readonly versionNumber: number
  /** `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly fullVersion: string
  /** The cluster's identity, equal on primary and standbys. Decimal; above 2^53, so text. */
  readonly systemIdentifier: string
  readonly inRecovery: boolean
  /** Only in recovery: replay waits for pg_wal_replay_resume(). */
  readonly replayPaused: boolean
  readonly timeline: number
  /** Where writing is; in recovery, where replay is. Absent in recovery before anything was replayed. */
  readonly lsn: Lsn | undefined
  readonly walLevel: string
  readonly walSegmentBytes: number
  readonly maxWalSenders: number
  readonly maxReplicationSlots: number
  readonly dataChecksums: boolean
  /** Seconds since 1970. */
  readonly startedAt: number
  /** As the server's machine sees it; absent where the user may not know (neither superuser nor pg_read_all_settings). */
  readonly dataDirectory: string | undefined
}

const factsQuery = `
  select current_setting('server_version_num') as version_number,
         current_setting('server_version') as full_version,
         (select system_identifier::text from pg_control_system()) as system_identifier,
         pg_is_in_recovery() as in_recovery,
         case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end as replay_paused,
         case when pg_is_in_recovery()
              then greatest((select timeline_id from pg_control_checkpoint()),
                            (select min_recovery_end_timeline from pg_control_recovery()),
                            (select received_tli from pg_stat_wal_receiver))
              else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end as timeline,
         case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn,
         current_setting('wal_level') as wal_level,
         (select setting from pg_settings where name = 'wal_segment_size') as wal_segment_bytes,
         current_setting('max_wal_senders') as max_wal_senders,
         current_setting('max_replication_slots') as max_replication_slots,
         current_setting('data_checksums') as data_checksums,
         extract(epoch from pg_postmaster_start_time()) as started_at,
         (select setting from pg_settings where name = 'data_directory') as data_directory`

/** Looks at a server through an ordinary connection. Errors: `postgres-unreachable`, `permission-denied`, `postgres-setting`, `postgres-failed`. */
export async function inspectServer(url: string, signal?: AbortSignal): Promise<ServerFacts> {
  await using connection = await openSql(url, {}, signal)
  return await inspectConnection(connection)
}

export async function inspectConnection(connection: SqlConnection): Promise<ServerFacts> {
  const [row] = await connection.query(factsQuery)
  if (!row) throw new HoldfastError('internal', { message: 'the server answered a query of one row with none' })
  const lsn = row.lsn ?? undefined
  return {
    version: Math.floor(number(row, 'version_number') / 10_000),
    versionNumber: number(row, 'version_number'),
    fullVersion: text(row, 'full_version'),
    systemIdentifier: text(row, 'system_identifier'),
    inRecovery: row.in_recovery === 't',
    replayPaused: row.replay_paused === 't',
    timeline: number(row, 'timeline'),
    lsn: lsn === undefined ? undefined : parseLsn(lsn),
    walLevel: text(row, 'wal_level'),
    walSegmentBytes: number(row, 'wal_segment_bytes'),
    maxWalSenders: number(row, 'max_wal_senders'),
    maxReplicationSlots: number(row, 'max_replication_slots'),
    dataChecksums: row.data_checksums === 'on',
    startedAt: number(row, 'started_at'),
    dataDirectory: row.data_directory ?? undefined,
  }
}

function text(row: Row, name: string): string {
  const value = row[name]
  if (typeof value === 'string') return value
  throw new HoldfastError('postgres-failed', { message: `the server does not tell its ${name.replaceAll('_', ' ')}` })
}

function number(row: Row, name: string): number {
  const value = Number(text(row, name))
  if (Number.isFinite(value)) return value
  throw new HoldfastError('postgres-failed', { message: `the server's ${name.replaceAll('_', ' ')} is not a number` })
}
