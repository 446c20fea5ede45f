import { HoldfastError, isHoldfastError, systemClock } from '../../kernel/index.ts'
import { openSql, type SqlConnection } from './connect.ts'
import { sqlState } from './errors.ts'
import { describeUrl, withDatabase } from './location.ts'

export interface ClosedDatabases {
  readonly systemIdentifier: string
  /** Those that took connections before, and now take none. */
  readonly closed: readonly string[]
  /** Sessions that were ended. */
  readonly ended: number
}

export interface ServerToClose {
  /** The cluster's identity, equal on primary and standbys. */
  readonly systemIdentifier: string
  /** The database that the URL names: where the closing is done from, so that it stays open itself. */
  readonly database: string
  /** Tables of users in that database: they would stay writable. */
  readonly tables: number
  readonly superuser: boolean
}

const pollMs = 100
/** `object_not_in_prerequisite_state`: "database is not currently accepting connections". */
const notAccepting = '55000'
const sessions = `pg_stat_activity where datid is not null and pid <> pg_backend_pid() and backend_type is distinct from 'autovacuum worker'`

/** What must be known before databases are closed through this URL. */
export async function inspectForClosing(url: string, signal: AbortSignal): Promise<ServerToClose> {
  await using connection = await openSql(url, {}, signal)
  const [row] = await connection.query(`
    select (select system_identifier::text from pg_control_system()) as system_identifier, current_database() as database,
           current_setting('is_superuser') as superuser,
           (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema') as tables`)
  return {
    systemIdentifier: row?.system_identifier ?? '',
    database: row?.database ?? '',
    tables: Number(row?.tables),
    superuser: row?.superuser === 'on',
  }
}

/**
 * Closes every database but the URL's to new connections, superusers' too, and ends all sessions. It survives a restart of the server;
 * physical replication goes on. `beforeClosing` is awaited with the databases' names before the first is closed.
 * Throws `fence-unconfirmed` when sessions do not end in time.
 */
export async function closeDatabases(
  url: string,
  withinMs: number,
  beforeClosing: (databases: readonly string[]) => Promise<void>,
  signal: AbortSignal,
): Promise<ClosedDatabases> {
  const { systemIdentifier } = await inspectForClosing(url, signal)
  await using connection = await openSql(url, { applicationName: 'holdfast fence' }, signal)
  const open = await connection.query(
    `select datname as name, format('alter database %I with allow_connections false', datname) as command
       from pg_database where datallowconn and datname <> current_database() order by datname`,
  )
  const closed = open.map(({ name }) => name ?? '')
  await beforeClosing(closed)
  for (const { command } of open) await connection.query(command ?? '')
  const startedMs = systemClock.monotonicMs()
  let ended = 0
  for (;;) {
    const [row] = await connection.query(`select count(pg_terminate_backend(pid)) as told from ${sessions}`)
    if (Number(row?.told) === 0) break
    if (ended === 0) ended = Number(row?.told)
    if (systemClock.monotonicMs() - startedMs > withinMs) throw unconfirmed(url, await openEnds(connection))
    await systemClock.sleep(pollMs, signal)
  }
  return { systemIdentifier, closed, ended }
}

/**
 * Why a connection that can write may still exist or be made; empty when every database but the URL's is closed, no session is left, and a
 * real attempt to connect to each closed one was refused for that reason.
 */
export async function openDoors(url: string, signal: AbortSignal): Promise<readonly string[]> {
  await using connection = await openSql(url, { applicationName: 'holdfast fence' }, signal)
  const found = [...(await openEnds(connection))]
  const rows = await connection.query(
    `select datname as name from pg_database where not datallowconn and datname <> 'template0' order by datname`,
  )
  for (const { name } of rows) {
    if (!(await isClosed(url, name ?? '', signal))) found.push(`the database ${name} takes connections`)
  }
  // Whoever connected while we looked.
  return [...found, ...(await openEnds(connection))].filter((door, index, all) => all.indexOf(door) === index)
}

/** Lets connections in again; a database that is gone is fine. */
export async function reopenDatabases(url: string, databases: readonly string[], signal: AbortSignal): Promise<void> {
  await using connection = await openSql(url, { applicationName: 'holdfast fence' }, signal)
  for (const name of databases) {
    const [row] = await connection.query(
      `select format('alter database %I with allow_connections true', datname) as command from pg_database where datname = $1`,
      [name],
    )
    if (row?.command !== undefined && row.command !== null) await connection.query(row.command)
  }
}

/** Those of these databases that take no connections; one that is gone is not among them. */
export async function stillClosed(url: string, databases: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  if (databases.length === 0) return []
  await using connection = await openSql(url, { applicationName: 'holdfast fence' }, signal)
  const rows = await connection.query('select datname as name from pg_database where not datallowconn order by datname')
  const closed = new Set(rows.map(({ name }) => name))
  return databases.filter((name) => closed.has(name))
}

/** Whether the database that the URL names was closed. Throws what else is wrong with the server. */
export async function isClosedTo(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    await using connection = await openSql(url, {}, signal)
    return connection === undefined
  } catch (error) {
    signal.throwIfAborted()
    if (isHoldfastError(error) && sqlState(error) === notAccepting) return true
    throw error
  }
}

async function openEnds(connection: SqlConnection): Promise<readonly string[]> {
  const rows = await connection.query(`
    select format('the database %s takes connections', datname) as door
      from pg_database where datallowconn and datname <> current_database()
    union all
    select format('process %s (%s) still has a session in %s', pid, coalesce(nullif(application_name, ''), backend_type), datname)
      from ${sessions}`)
  return rows.map(({ door }) => door ?? '')
}

async function isClosed(url: string, database: string, signal: AbortSignal): Promise<boolean> {
  return await isClosedTo(withDatabase(url, database), signal)
}

function unconfirmed(url: string, doors: readonly string[]): HoldfastError {
  return new HoldfastError('fence-unconfirmed', {
    message: `${describeUrl(url)} was told to end all sessions, and did not: ${doors.join('; ')}`,
    hint: 'stop the server itself, or cut it off from its clients, before another one takes writes',
    details: { doors: [...doors] },
  })
}
