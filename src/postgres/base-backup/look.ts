import { HoldfastError } from '../../kernel/index.ts'
import { openSql, type SqlConnection } from '../connection/connect.ts'
import { inspectConnection, type ServerFacts } from '../connection/inspect.ts'
import type { PageLayout } from './page-verifier.ts'

/** BASE_BACKUP with its options in brackets and one stream for all archives came with 15. */
const oldestVersion = 15
const settingsForRecovery = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
  'shared_preload_libraries',
]

/** What a base backup needs to know of its server before it begins. */
export interface BackupBeginning {
  readonly server: ServerFacts
  readonly layout: PageLayout
  readonly settings: Readonly<Record<string, string>>
  /** Who a recovery can be inspected and promoted as: the oldest superuser that may log in. */
  readonly superuser: string | undefined
  /** The server's clock, ISO 8601 UTC. */
  readonly startTime: string
  /** Permission bits of the data directory: 0700, or 0750 where initdb allowed the group. */
  readonly directoryMode: number
}

/** Throws `postgres-setting` for a version that is too old. */
export async function look(url: string, signal: AbortSignal): Promise<BackupBeginning> {
  await using connection = await openSql(url, {}, signal)
  const server = await inspectConnection(connection)
  if (server.version < oldestVersion) {
    throw new HoldfastError('postgres-setting', {
      message: `base backups need PostgreSQL ${oldestVersion} or newer; this server is ${server.fullVersion}`,
      hint: 'upgrade the server',
      details: { setting: 'version' },
    })
  }
  const values = await settingValues(connection, [...settingsForRecovery, 'block_size', 'segment_size', 'data_directory_mode'])
  const layout: PageLayout = { pageBytes: Number(values.block_size), pagesPerSegment: Number(values.segment_size) }
  const settings = Object.fromEntries(
    settingsForRecovery.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])),
  )
  const [oldest] = await connection.query('select rolname from pg_roles where rolsuper and rolcanlogin order by oid limit 1')
  const [row] = await connection.query(isoNow)
  return {
    server,
    layout,
    settings,
    superuser: oldest?.rolname ?? undefined,
    startTime: row?.time ?? new Date().toISOString(),
    directoryMode: values.data_directory_mode === '0750' ? 0o750 : 0o700,
  }
}

async function settingValues(connection: SqlConnection, names: readonly string[]): Promise<Record<string, string>> {
  const list = names.map((_, index) => `$${index + 1}`).join(', ')
  const rows = await connection.query(`select name, setting from pg_settings where name in (${list})`, names)
  return Object.fromEntries(rows.flatMap(({ name, setting }) => (name == null || setting == null ? [] : [[name, setting]])))
}

const isoNow = `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time`

/** The server's clock, ISO 8601 UTC. */
export async function serverTime(url: string, signal: AbortSignal): Promise<string> {
  await using connection = await openSql(url, {}, signal)
  const [row] = await connection.query(isoNow)
  return row?.time ?? new Date().toISOString()
}
