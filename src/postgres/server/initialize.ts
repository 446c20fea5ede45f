import { appendFile, chown, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, randomHex, runProcess, systemCode } from '../../kernel/index.ts'
import { dropsPrivileges, ownFolder, requireReachable, type ServerAccount } from './account.ts'
import { cleanEnvironment } from './environment.ts'

export type Settings = Readonly<Record<string, string | number | boolean>>

export interface InitializeOptions {
  /** The database superuser's name. Default `postgres`. */
  readonly superuser?: string
  /** Asked for over TCP (scram-sha-256). Over the private socket, which only its owner reaches, none is asked for. */
  readonly password?: string
  /** Written to postgresql.conf. */
  readonly settings?: Settings
  /** Default true. */
  readonly dataChecksums?: boolean
  /** False leaves out initdb's fsync: for servers that are thrown away. */
  readonly durable?: boolean
}

/** Makes a new data directory with initdb. Throws `target-not-empty` when the folder holds something, `postgres-failed` with initdb's words. */
export async function initializeDataDirectory(
  binDir: string,
  version: number,
  dataDir: string,
  account: ServerAccount,
  options: InitializeOptions,
  signal?: AbortSignal,
): Promise<void> {
  const existing = await readdir(dataDir).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  if (existing.length > 0) {
    throw new HoldfastError('target-not-empty', {
      message: `${dataDir} is not empty, so no new data directory is made there`,
      hint: 'choose another folder, or move away what is in it',
    })
  }
  await ownFolder(dataDir, account)
  await requireReachable(join(dataDir, 'PG_VERSION'), account)
  const passwordFile = `${dataDir}.pw-${randomHex(6)}`
  const args = [
    `--pgdata=${dataDir}`,
    `--username=${options.superuser ?? 'postgres'}`,
    '--encoding=UTF8',
    '--no-locale',
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
  ]
  if (options.durable === false) args.push('--no-sync')
  if (options.dataChecksums !== false) args.push('--data-checksums')
  // PostgreSQL 18 turned checksums on by default, and only there is the flag known that turns them off.
  else if (version >= 18) args.push('--no-data-checksums')
  try {
    if (options.password !== undefined) {
      await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600, flag: 'wx' })
      if (dropsPrivileges(account)) await chown(passwordFile, account.uid, account.gid)
      args.push(`--pwfile=${passwordFile}`)
    }
    const identity = dropsPrivileges(account) ? { uid: account.uid, gid: account.gid } : {}
    const done = await runProcess(join(binDir, 'initdb'), args, { cwd: '/', env: cleanEnvironment(), ...identity }, signal)
    if (done.exitCode !== 0) {
      throw new HoldfastError('postgres-failed', {
        message: `initdb could not make ${dataDir}: ${done.stderr.trim().split('\n').slice(-3).join('; ')}`,
        details: { stderr: done.stderr },
      })
    }
  } finally {
    await rm(passwordFile, { force: true })
  }
  if (options.settings) await appendFile(join(dataDir, 'postgresql.conf'), settingsText(options.settings))
}

/** Lines for a configuration file. */
export function settingsText(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${settingValue(value).replaceAll('\\', '\\\\').replaceAll("'", "''")}'\n`)
    .join('')
}

/** A value as PostgreSQL reads it: on, off, a number or text. */
export function settingValue(value: string | number | boolean): string {
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
}
