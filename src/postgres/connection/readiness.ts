import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import { openSql, type Row, type SqlConnection } from './connect.ts'
import { describeUrl } from './location.ts'
import { openReplication } from './replication.ts'

/** Something that keeps a server from being protected, and what an administrator does about it. */
export interface ReadinessFinding {
  /** `wal_level`, `max_wal_senders`, `max_replication_slots`, `REPLICATION`, `pg_hba.conf`, `version`. */
  readonly setting: string
  readonly current: string
  readonly needed: string
  /** Commands, in order: SQL, or a line for a file. */
  readonly change: readonly string[]
  /** True when the change counts only after a restart of the server. */
  readonly restart: boolean
}

/** BASE_BACKUP with its options in brackets and one stream for all archives came with 15. */
const oldestVersion = 15

/**
 * Whether base backups and WAL can be taken from a server: empty when they can. Looks at settings through an ordinary connection, then
 * really opens a replication connection. `walSenders`: how many connections are wanted at once (one for a base backup, one for WAL).
 * Throws when the server cannot be reached or refuses the user altogether.
 */
export async function checkReplicationReadiness(
  url: string,
  { walSenders = 2 } = {},
  signal?: AbortSignal,
): Promise<ReadinessFinding[]> {
  await using connection = await openSql(url, {}, signal)
  const [row] = await connection.query(`
    select current_setting('server_version_num')::int / 10000 as version,
           current_setting('server_version') as full_version,
           current_setting('wal_level') as wal_level,
           current_setting('max_wal_senders')::int as max_wal_senders,
           (select count(*) from pg_stat_replication) as used_wal_senders,
           current_setting('max_replication_slots')::int as max_replication_slots,
           (select count(*) from pg_replication_slots) as used_slots,
           current_user as role,
           (select rolreplication or rolsuper from pg_roles where rolname = current_user) as may_replicate`)
  const findings = row ? await settingFindings(connection, row, walSenders) : []
  if (findings.some(({ setting }) => setting !== 'max_replication_slots')) return findings
  try {
    await using replication = await openReplication(url, signal)
    await replication.query('IDENTIFY_SYSTEM')
  } catch (error) {
    if (!isHoldfastError(error, 'postgres-setting')) throw error
    findings.push(await refusalFinding(connection, error))
  }
  return findings
}

async function settingFindings(connection: SqlConnection, row: Row, walSenders: number): Promise<ReadinessFinding[]> {
  const findings: ReadinessFinding[] = []
  const number = (name: string) => Number(row[name] ?? 0)
  if (number('version') < oldestVersion) {
    findings.push({
      setting: 'version',
      current: row.full_version ?? 'unknown',
      needed: `PostgreSQL ${oldestVersion} or newer`,
      change: ['upgrade the server'],
      restart: true,
    })
  }
  if (row.wal_level === 'minimal') {
    findings.push(await settingFinding(connection, 'wal_level', 'minimal', 'replica', 'replica or logical'))
  }
  for (const [setting, used, wanted] of [
    ['max_wal_senders', number('used_wal_senders'), walSenders],
    ['max_replication_slots', number('used_slots'), 1],
  ] as const) {
    const limit = number(setting)
    if (limit - used >= wanted) continue
    const current = used === 0 ? String(limit) : `${limit}, of which ${used} are in use`
    findings.push(
      await settingFinding(connection, setting, current, String(Math.max(10, used + wanted)), `${used + wanted} or more`),
    )
  }
  if (row.may_replicate !== 't') {
    findings.push({
      setting: 'REPLICATION',
      current: `the role ${row.role} does not have it`,
      needed: 'a role that may replicate',
      change: [`ALTER ROLE ${quoteName(row.role ?? '')} REPLICATION`],
      restart: false,
    })
  }
  return findings
}

/** ALTER SYSTEM does nothing against a setting that the command line gives. */
async function settingFinding(
  connection: SqlConnection,
  setting: string,
  current: string,
  value: string,
  needed: string,
): Promise<ReadinessFinding> {
  const [row] = await connection.query('select source from pg_settings where name = $1', [setting])
  const change =
    row?.source === 'command line'
      ? [`start the server without -c ${setting}=…, or with ${setting}=${value}`]
      : [`ALTER SYSTEM SET ${setting} = '${value}'`, 'restart the server']
  return { setting, current, needed, change, restart: true }
}

/** pg_hba.conf has its say only when a replication connection is really tried. */
async function refusalFinding(connection: SqlConnection, error: HoldfastError): Promise<ReadinessFinding> {
  const [row] = await connection.query(`
    select current_user as role, host(inet_client_addr()) as address, family(inet_client_addr()) as family,
           (select setting from pg_settings where name = 'hba_file') as file`)
  const setting = typeof error.details.setting === 'string' ? error.details.setting : 'pg_hba.conf'
  if (setting !== 'pg_hba.conf') {
    return {
      setting,
      current: error.message,
      needed: 'a replication connection',
      change: [error.hint ?? 'see the message'],
      restart: false,
    }
  }
  const role = quoteName(row?.role ?? 'USER')
  const line =
    row?.address == null
      ? `local replication ${role} scram-sha-256`
      : `host replication ${role} ${row.address}/${row.family === '6' ? 128 : 32} scram-sha-256`
  return {
    setting,
    current: error.message,
    needed: 'an entry for replication that lets this user in; `all` does not mean replication',
    change: [`add to ${row?.file ?? 'pg_hba.conf'}, before any line that rejects: ${line}`, 'SELECT pg_reload_conf()'],
    restart: false,
  }
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The error for a server that is not ready: `postgres-setting`, naming the first setting, its value and the commands; all in `details`. */
export function notReadyError(url: string, findings: readonly ReadinessFinding[]): HoldfastError {
  const [first] = findings
  const more =
    findings.length > 1
      ? ` (and ${findings
          .slice(1)
          .map(({ setting }) => setting)
          .join(', ')})`
      : ''
  return new HoldfastError('postgres-setting', {
    message: `${describeUrl(url)} cannot be protected: ${first?.setting} is ${first?.current}, needed is ${first?.needed}${more}`,
    hint: [...new Set(findings.flatMap(({ change }) => change).reverse())].reverse().join('; '),
    details: { setting: first?.setting, findings },
  })
}
