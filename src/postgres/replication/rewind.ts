import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, runProcess } from '../../kernel/index.ts'
import { openSql } from '../connection/connect.ts'
import type { PostgresInstallation } from '../installation.ts'
import { readControlFile } from '../recovery/control-file.ts'
import { readDataFile, writeDataFile } from '../recovery/settings-file.ts'
import { dropsPrivileges, serverAccount } from '../server/account.ts'
import { cleanEnvironment } from '../server/environment.ts'
import { executablePrograms } from '../server/programs.ts'
import { conninfo } from './conninfo.ts'

export interface RewindRequest {
  /** Of a server that does not run. */
  readonly dataDir: string
  readonly installation: PostgresInstallation
  /** The system's user that owns it; see serverAccount. */
  readonly account?: string
  /** Of the server that leads, as a superuser. */
  readonly sourceUrl: string
  /** Where the server's configuration is, when it is not in its data directory. */
  readonly configFile?: string
  readonly onOutput?: (text: string) => void
}

/** Files that pg_rewind takes from the source like any other, and that are each server's own. */
export const ownConfiguration = ['postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'pg_ident.conf'] as const
export type OwnConfiguration = Readonly<Record<string, string>>

export async function readOwnConfiguration(dataDir: string): Promise<OwnConfiguration> {
  const texts = await Promise.all(ownConfiguration.map(async (name) => [name, await readDataFile(dataDir, name)] as const))
  return Object.fromEntries(texts.filter(([, text]) => text !== ''))
}

export async function writeOwnConfiguration(dataDir: string, configuration: OwnConfiguration): Promise<void> {
  for (const [name, text] of Object.entries(configuration)) await writeDataFile(dataDir, name, text)
}

/** Throws `postgres-not-found` where pg_rewind is not installed: npm's PostgreSQL has none. */
export async function requireRewind({ binDir, version }: PostgresInstallation): Promise<void> {
  try {
    await access(join(binDir, 'pg_rewind'))
  } catch (error) {
    throw new HoldfastError('postgres-not-found', {
      message: `there is no pg_rewind in ${binDir}`,
      hint: `install the package postgresql-${version}, which has it`,
      cause: error,
    })
  }
}

/**
 * Takes the changes since the fork out of a data directory with pg_rewind, and puts the source's in their place. A server that crashed is
 * recovered first, by pg_rewind itself. When it is cut short the folder is of no use until it has been run again to its end. Throws
 * `command-failed` with its words.
 */
export async function rewind(request: RewindRequest, signal: AbortSignal): Promise<void> {
  const { dataDir, installation, sourceUrl, configFile } = request
  await requireRewind(installation)
  const account = await serverAccount(request.account)
  const programs = await executablePrograms(installation, account)
  // Before its first checkpoint a promoted server still names its old timeline in its control file, which is what pg_rewind reads.
  {
    await using source = await openSql(sourceUrl, {}, signal)
    await source.query('checkpoint')
  }
  const { text, password } = conninfo(sourceUrl)
  const done = await runProcess(
    join(programs, 'pg_rewind'),
    [
      `--target-pgdata=${dataDir}`,
      `--source-server=${text}`,
      '--progress',
      ...(configFile === undefined ? [] : [`--config-file=${configFile}`]),
    ],
    {
      cwd: '/',
      env: { ...cleanEnvironment(), LC_ALL: 'C', ...(password === undefined ? {} : { PGPASSWORD: password }) },
      ...(dropsPrivileges(account) ? { uid: account.uid, gid: account.gid } : {}),
      onOutput: (line) => request.onOutput?.(line.trim()),
    },
    signal,
  )
  if (done.exitCode === 0) return
  const words = done.stderr
    .trim()
    .split('\n')
    .filter((line) => !/^\s*\d+\/\d+ kB/.test(line))
  throw new HoldfastError('command-failed', {
    message: `pg_rewind on ${dataDir} failed: ${words.slice(-3).join('; ')}`,
    hint: 'nothing serves from it now; make a new standby from a base backup if pg_rewind cannot go on',
    details: { stderr: done.stderr.slice(-4000) },
  })
}

/** Whether pg_rewind has come to its end on a data directory: the control file is what it writes last. */
export async function isRewound(dataDir: string, sourceTimeline: number): Promise<boolean> {
  const { state, timeline } = await readControlFile(dataDir)
  const label = await readDataFile(dataDir, 'backup_label')
  return state === 'in-archive-recovery' && timeline === sourceTimeline && label !== ''
}
