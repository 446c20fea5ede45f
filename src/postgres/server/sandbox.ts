import { access, chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dropsPrivileges, type ServerAccount } from './account.ts'
import { limitsOfSource } from './limits.ts'
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

/** Everybody who reaches the socket may log in; its folder lets in only the server's account and root. */
const privateHba = 'local all all trust\nlocal replication all trust\n'

/**
 * Configuration that a start needs beside the data directory's own, written into a folder of the account's: for a sandbox, and for a data
 * directory that has no configuration (Debian keeps it in /etc, so that a base backup holds none).
 */
export async function startSettings(
  dataDir: string,
  binDir: string,
  folder: string,
  account: ServerAccount,
  sandbox: boolean,
): Promise<Settings> {
  const settings: Record<string, string | number | boolean> = {}
  if (!(await exists(join(dataDir, 'postgresql.conf')))) {
    const text = `log_destination = 'stderr'\n${settingsText(await limitsOfSource(dataDir, binDir))}`
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
