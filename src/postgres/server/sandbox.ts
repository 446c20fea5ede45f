import { access, chown, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../kernel/index.ts'
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
  // Subscriptions that came along would take what the publisher keeps for the real one.
  max_logical_replication_workers: 0,
  'cron.launch_active_jobs': false,
}

/** Everybody who reaches the socket may log in: for a folder that lets in only the server's account and root. */
const privateHba = 'local all all trust\nlocal replication all trust\n'

/** What a data directory's own access rules become while `user` must get in, whatever they say: see `admission`. */
const admitMap = 'holdfast_admits'
const admitHba = 'pg_hba.holdfast.conf'
const admitIdent = 'pg_ident.holdfast.conf'

export interface StartConfiguration {
  readonly dataDir: string
  readonly binDir: string
  readonly account: ServerAccount
  /** A folder that only the account and root enter: for what the data directory lacks. */
  readonly folder: string
  readonly sandbox: boolean
  /** A database user that this process must be able to be. */
  readonly admit?: string | undefined
}

/**
 * Configuration that a start needs beside the data directory's own, written into a folder of the account's: for a sandbox, and for a data
 * directory that has no configuration (Debian keeps it in /etc, so that a base backup holds none).
 */
export async function startSettings(start: StartConfiguration): Promise<Settings> {
  const { dataDir, binDir, folder, account, sandbox, admit } = start
  const settings: Record<string, string | number | boolean> = {}
  if (!(await exists(join(dataDir, 'postgresql.conf')))) {
    const text = `log_destination = 'stderr'\n${settingsText(await limitsOfSource(dataDir, binDir))}`
    settings.config_file = await writeConfig(join(folder, 'postgresql.conf'), text, account)
  }
  if (!sandbox && admit !== undefined) return { ...settings, ...(await admission(dataDir, admit, account)) }
  if (sandbox || !(await exists(join(dataDir, 'pg_hba.conf')))) {
    settings.hba_file = await writeConfig(join(folder, 'pg_hba.conf'), privateHba, account)
  }
  if (!(await exists(join(dataDir, 'pg_ident.conf')))) {
    settings.ident_file = await writeConfig(join(folder, 'pg_ident.conf'), '', account)
  }
  return sandbox ? { ...sandboxSettings, ...settings } : settings
}

/**
 * The data directory's own access rules, with one before them: who is root, or the server's account, on this machine may be `user` over a
 * socket. Its own may ask for a password that nobody here has, or know other system users; they count again from the next start by anybody
 * else. The files lie beside those that they continue, so that relative names in them stay right.
 */
async function admission(dataDir: string, user: string, account: ServerAccount): Promise<Settings> {
  const name = `"${user.replaceAll('"', '""')}"`
  const systemUsers = new Set([...(process.geteuid?.() === 0 ? ['root'] : []), account.name])
  const map = [...systemUsers].map((systemUser) => `${admitMap} ${systemUser} ${name}\n`).join('')
  const own = async (file: string) => await readFile(join(dataDir, file), 'utf8').catch(nothingThere)
  return {
    hba_file: await writeConfig(
      join(dataDir, admitHba),
      `local all ${name} peer map=${admitMap}\n${await own('pg_hba.conf')}`,
      account,
    ),
    ident_file: await writeConfig(join(dataDir, admitIdent), `${map}${await own('pg_ident.conf')}`, account),
  }
}

/** When the server has stopped. */
export async function removeAdmission(dataDir: string): Promise<void> {
  for (const name of [admitHba, admitIdent]) await rm(join(dataDir, name), { force: true })
}

function nothingThere(error: unknown): string {
  if (systemCode(error) === 'ENOENT') return ''
  throw error
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
