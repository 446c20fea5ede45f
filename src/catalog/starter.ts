import { open } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { catalogFileName } from './default-catalog.ts'
import { diskFullOr, HoldfastError, syncDirectory, systemCode, userName } from '../kernel/index.ts'

/** A database that a starter is written for. */
export interface DatabaseFound {
  /** How it was found, for a comment: `the socket in /var/run/postgresql`. */
  readonly foundBy: string
  /** A connection URL without a password, or the environment variable that holds it. */
  readonly url: string | { readonly env: string }
  readonly database?: string
  /** The major version. */
  readonly version?: number
  readonly dataDirectory?: string
}

/**
 * Writes a commented catalog (`holdfast.yaml` unless named otherwise) into a folder, for the database that was found or, without one, for one that is still to be named.
 * Gives its path. Throws `already-exists`: an existing file is never touched.
 */
export async function writeStarterCatalog(
  directory: string,
  found: DatabaseFound | undefined,
  name = catalogFileName,
): Promise<string> {
  const path = join(directory, name)
  try {
    await using handle = await open(path, 'wx', 0o644)
    await handle.writeFile(starterText(found))
    await handle.sync()
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw diskFullOr(error, path)
    throw new HoldfastError('already-exists', {
      message: `there is already a catalog at ${path}, and it is left as it is`,
      hint: `\`holdfast validate\` checks it; a starter can be written to another folder`,
      details: { path },
    })
  }
  await syncDirectory(directory)
  return path
}

/** The starter as text; what `writeStarterCatalog` writes. */
export function starterText(found: DatabaseFound | undefined): string {
  const service = nameFrom(found?.database ?? 'database')
  const recovered =
    found?.dataDirectory === undefined ? `/var/lib/postgresql/${service}-recovered` : `${found.dataDirectory}-recovered`
  const url = found === undefined ? { env: 'DATABASE_URL' } : found.url
  const version = found?.version === undefined ? 'a PostgreSQL server' : `the PostgreSQL ${found.version}`
  return `# yaml-language-server: $schema=${schemaPath}
#
# What must survive, how much of it may be lost, how long it may be down, and how it comes back.
# Check this file with \`holdfast validate\`. Durations have units: 30s, 5m, 2h, 7d.
${found === undefined ? '# No PostgreSQL was found on this machine: put the URL of yours into DATABASE_URL, or remove the service.\n' : `# Written for ${version} that was found by ${found.foundBy}.\n`}
version: 1
name: ${nameFrom(hostname())}

# What fails together: a building, a cloud region, an account.
sites:
  here: { description: where the database runs }
  elsewhere: { description: where the copies are }

# Where copies live. \`holdfast init\` makes the repositories that are not there yet; plain restic can read them.
repositories:
  backups:
    # Put it on another disk, better in another building: what burns with the database is no backup.
    url: ./holdfast-repository
    site: elsewhere
    media: disk
    # Secrets are never in this file, only where to find them: { env: NAME }, { file: PATH } or { command: [PROGRAM, ARGUMENT, …] }.
    # Without this password nothing in the repository can be read: keep it in a second place too.
    password: { env: HOLDFAST_PASSWORD }

services:
  ${service}:
    owner: ${quoted(userName())}
    # onCall: "+1-555-0100"
    tier: 1
    site: here
    # rpo: the most data, in time, that may be lost. rto: the longest it may be down.
    objectives: { rpo: 5m, rto: 30m }
    data:
      postgres:
        # The role needs REPLICATION. No password here: use a socket, .pgpass, or a URL in a secret.
        url: ${typeof url === 'string' ? quoted(url) : `{ env: ${url.env} }`}
        # stream: \`holdfast postgres receive-wal ${service}\` keeps what is written, as it is written.
        # none: only what was there at the last backup comes back.
        wal: stream
${found?.dataDirectory === undefined ? '        # dataDirectory: /var/lib/postgresql/15/main\n' : `        dataDirectory: ${quoted(found.dataDirectory)}\n`}      # files: { paths: [/etc/my-app, /srv/uploads], exclude: ["*.tmp"] }
    backup:
      schedule: daily at 02:00
      to: [backups]
      keep: { daily: 7, weekly: 5, monthly: 12 }
    verify:
      # What must be true of a copy that was restored. Name a table that is never empty.
      assert: [{ sql: "select count(*) from pg_catalog.pg_class", atLeast: 1 }]
    recovery: ${service}-recovery

# How it comes back: \`holdfast recover ${service} --dry-run\` shows it, without --dry-run it runs.
plans:
  ${service}-recovery:
    recovers: [${service}]
    steps:
      - id: restore
        do: { postgres.restore: { service: ${service}, target: ${quoted(recovered)} } }
        timeout: 2h
      # Replays the log to the last moment (or to --to TIME), and pauses there, read-only.
      - id: start
        do: { postgres.start: { dataDirectory: "\${steps.restore.dataDirectory}" } }
        after: [restore]
        timeout: 2h
      - id: inspect
        do: { sql.check: { url: "\${steps.start.url}", sql: "select count(*) from pg_catalog.pg_class", atLeast: 1 } }
        after: [start]
        timeout: 1m
      # A person looks before it becomes writable; remove this step to have no question asked.
      - id: approve
        do: { approve: { message: is this the state to go on with?, allowSelf: true, expiresIn: 4h } }
        after: [inspect]
        timeout: 4h
      - id: promote
        do: { postgres.promote: { dataDirectory: "\${steps.restore.dataDirectory}" } }
        after: [approve]
        timeout: 5m
      - id: verify
        do: { sql.check: { url: "\${steps.start.url}", sql: "select not pg_is_in_recovery()", equals: true } }
        after: [promote]
        timeout: 1m
`
}

/** The schema that came with this program: right for its version, and there without a network. */
const schemaPath = fileURLToPath(new URL('../../schema/holdfast.schema.json', import.meta.url))

function nameFrom(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '')
  return /^[A-Za-z]/.test(name) ? name.slice(0, 40) : `db-${name}`.slice(0, 40)
}

/** In quotes wherever YAML could take it for something else. */
function quoted(text: string): string {
  return /^[A-Za-z/][A-Za-z0-9/._-]*$/.test(text) && !/^(?:true|false|null)$/i.test(text) ? text : JSON.stringify(text)
}
