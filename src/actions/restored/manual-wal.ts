import { quote } from '../../kernel/index.ts'
import { portablePath, type Catalog } from '../../catalog/index.ts'

/**
 * The commands that make the server on a restored data directory replay the WAL behind its base backup, by hand but for `fetch-wal`: the WAL
 * is sealed in the repository. The server stays read-only at the newest record until it is promoted.
 */
export function manualWalReplay(
  dataDirectory: string,
  service: string,
  repository: string | undefined,
  catalog: Catalog,
): string[] {
  const postgres = catalog.services[service]?.data.postgres
  const entry = catalog.repositories[repository ?? catalog.services[service]?.backup?.to[0] ?? '']
  if (entry === undefined || postgres === undefined || postgres.wal === 'none') return []
  const account = quote(postgres.runAs ?? 'postgres')
  const config = `${dataDirectory}.fetch-wal.json`
  const { password } = entry
  const [passwordJson, passwordWord] =
    'file' in password
      ? [`{"file":"%s"}`, ` ${pathWord(password.file, catalog)}`]
      : [JSON.stringify(password).replaceAll('%', '%%'), '']
  const json = `{"version":1,"systemIdentifier":"%s","repository":{"location":"%s","password":${passwordJson}}}\\n`
  const identifier = `"$(pg_controldata ${quote(dataDirectory)} | sed -n 's/^Database system identifier: *//p')"`
  const settings = [
    setting('restore_command', `holdfast postgres fetch-wal --config ${quote(config).replaceAll('%', '%%')} %f %p`),
    // Nobody is there yet that commits could wait for.
    setting('synchronous_standby_names', ''),
  ]
  return [
    '# the WAL behind the base backup: the server fetches it with `holdfast postgres fetch-wal`, so its account must be able to run that,',
    '# to read the repository, and to have the password',
    `printf ${quote(json)} ${identifier} ${pathWord(entry.location, catalog)}${passwordWord} > ${quote(config)}`,
    `printf '%s\\n' ${settings.map(quote).join(' ')} >> ${quote(`${dataDirectory}/postgresql.auto.conf`)}`,
    `touch ${quote(`${dataDirectory}/standby.signal`)} && chown ${account}: ${quote(`${dataDirectory}/standby.signal`)}`,
    '# to a time instead of the newest record: recovery.signal in place of standby.signal, and in postgresql.auto.conf',
    `#   recovery_target_time = '2026-01-31 14:05:00+00'`,
  ]
}

/** A line of postgresql.conf. */
function setting(name: string, value: string): string {
  return `${name} = '${value.replaceAll("'", "''")}'`
}

/** A path as a word for sh, the same on every machine: below the folder of the catalog, where the commands are run, or the home folder. */
function pathWord(absolute: string, catalog: Catalog): string {
  const { from, path } = portablePath(absolute, catalog)
  if (from === 'root') return quote(path)
  return `"$${from === 'home' ? 'HOME' : 'PWD'}"/${quote(path)}`
}
