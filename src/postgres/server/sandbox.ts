import { access, chown, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { dropsPrivileges, type ServerAccount } from './account.ts'
import { settingsText, type Settings } from './initialize.ts'

/**
 * What a copy of a production server must not do when it is only started to be looked at: write to production's WAL archive, send mail or
 * jobs through preloaded libraries, listen on the network, wait for standbys that do not exist, or ask for passwords that nobody here has.
 */
const sandboxSettings: Settings = {
  archive_mode: false,
  ssl: false,
  logging_collector: false,
  synchronous_standby_names: '',
  listen_addresses: '',
  primary_conninfo: '',
}

const recordedSettings = z.object({ settings: z.record(z.string(), z.string()) })

/** Everybody who reaches the socket may log in; its folder lets in only the server's account and root. */
const privateHba = 'local all all trust\nlocal replication all trust\n'

/**
 * Configuration that a start needs beside the data directory's own, written into a folder of the account's: for a sandbox, and for a data
 * directory that has no configuration (Debian keeps it in /etc, so that a base backup holds none).
 */
export async function startSettings(
  dataDir: string,
  folder: string,
  account: ServerAccount,
  sandbox: boolean,
): Promise<Settings> {
  const settings: Record<string, string | number | boolean> = {}
  if (!(await exists(join(dataDir, 'postgresql.conf')))) {
    const text = `log_destination = 'stderr'\n${settingsText(await settingsOfSource(dataDir))}`
    settings.config_file = await writeConfig(join(folder, 'postgresql.conf'), text, account)
  }
  if (sandbox || !(await exists(join(dataDir, 'pg_hba.conf')))) {
    settings.hba_file = await writeConfig(join(folder, 'pg_hba.conf'), privateHba, account)
  }
  if (!(await exists(join(dataDir, 'pg_ident.conf')))) {
    settings.ident_file = await writeConfig(join(folder, 'pg_ident.conf'), '', account)
  }
  return sandbox ? { ...sandboxSettings, ...settings } : settings
}

/**
 * Without its own configuration, a recovered server must still not have smaller limits than its source: hot standby refuses to start then.
 * The base backup's backup.json, beside the data directory, tells them.
 */
async function settingsOfSource(dataDir: string): Promise<Settings> {
  const text = await readFile(join(dataDir, '..', 'backup.json'), 'utf8').catch(() => '{}')
  const record = recordedSettings.safeParse(parsed(text))
  const known = record.success ? Object.entries(record.data.settings) : []
  return Object.fromEntries(known.filter(([name, value]) => value !== '' && /^max_|^shared_preload_libraries$/.test(name)))
}

/** Undefined for what is not JSON: any other file may have that name. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function writeConfig(path: string, text: string, account: ServerAccount): Promise<string> {
  await writeFile(path, text, { mode: 0o600 })
  if (dropsPrivileges(account)) await chown(path, account.uid, account.gid)
  return path
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
