import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { DatabaseFound } from '../catalog/index.ts'
import { describeUrl, openSql, type SqlConnection } from '../postgres/index.ts'

const lookTimeoutMs = 2000
const socketFolders = ['/var/run/postgresql', '/tmp']

interface Candidate {
  readonly foundBy: string
  /** With a password, if it has one: for asking, not for writing down. */
  readonly url: string
  /** What may be written down. */
  readonly written: DatabaseFound['url']
}

export interface SearchPlaces {
  readonly env?: NodeJS.ProcessEnv
  readonly socketFolders?: readonly string[]
  /** On loopback. */
  readonly ports?: readonly number[]
}

/**
 * A PostgreSQL that this machine can reach: the one that DATABASE_URL or PGHOST, PGPORT, PGUSER and PGDATABASE name, else the first that
 * listens on a socket in the usual folders, else one on port 5432 of loopback. What it answers is told as far as it lets us ask; one that is
 * named by the environment is given even if it does not answer. Undefined when there is none.
 */
export async function findDatabase(places: SearchPlaces = {}, signal?: AbortSignal): Promise<DatabaseFound | undefined> {
  const env = places.env ?? process.env
  const named = namedByEnvironment(env)
  if (named !== undefined) return describeDatabase(named, signal)
  const user = env.PGUSER
  for (const folder of places.socketFolders ?? socketFolders) {
    for (const port of await socketPorts(folder)) {
      if (!(await listens({ path: join(folder, `.s.PGSQL.${port}`) }, signal))) continue
      const url = urlOf({ host: folder, port, user, database: env.PGDATABASE })
      return describeDatabase({ foundBy: `its socket in ${folder}`, url, written: url }, signal)
    }
  }
  for (const port of places.ports ?? [5432]) {
    if (!(await listens({ host: '127.0.0.1', port }, signal))) continue
    const url = urlOf({ host: '127.0.0.1', port: String(port), user, database: env.PGDATABASE })
    return describeDatabase({ foundBy: `port ${port} of this machine`, url, written: url }, signal)
  }
  return undefined
}

function namedByEnvironment(env: NodeJS.ProcessEnv): Candidate | undefined {
  const { DATABASE_URL: url, PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = env
  if (url !== undefined && /^postgres(?:ql)?:\/\//.test(url))
    return { foundBy: 'DATABASE_URL', url, written: { env: 'DATABASE_URL' } }
  if (host === undefined || host === '') return undefined
  const written = urlOf({ host, port: port ?? '5432', user, database })
  return { foundBy: 'PGHOST', url: written, written }
}

/** A host that is a folder goes into the query, where psql and libpq expect it. */
function urlOf(parts: { host: string; port: string; user: string | undefined; database: string | undefined }): string {
  const { host, port, user, database = user ?? 'postgres' } = parts
  const name = encodeURIComponent(database)
  const account = user === undefined ? '' : encodeURIComponent(user)
  if (!host.startsWith('/')) {
    const address = host.includes(':') ? `[${host}]` : host
    return `postgresql://${account === '' ? '' : `${account}@`}${address}:${port}/${name}`
  }
  const query = new URLSearchParams({ host, ...(port === '5432' ? {} : { port }), ...(user === undefined ? {} : { user }) })
  return `postgresql:///${name}?${query.toString().replaceAll('%2F', '/')}`
}

async function socketPorts(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.flatMap((name) => /^\.s\.PGSQL\.(\d+)$/.exec(name)?.[1] ?? []).sort((a, b) => Number(a) - Number(b))
}

/** Whether a PostgreSQL is there: it answers an SSLRequest (protocol 3.0, "Message Formats") with one byte, S or N. */
async function listens(
  to: { readonly path: string } | { readonly host: string; readonly port: number },
  signal?: AbortSignal,
): Promise<boolean> {
  signal?.throwIfAborted()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(to)
  const abort = () => socket.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  socket.setTimeout(lookTimeoutMs, () => socket.destroy())
  socket.on('connect', () => socket.write(Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f)))
  socket.on('data', (data) => {
    resolve(data.length === 1 && (data[0] === 0x53 || data[0] === 0x4e))
    socket.destroy()
  })
  // Nobody there, or somebody who is not PostgreSQL: both are "no".
  socket.on('error', () => resolve(false))
  socket.on('close', () => resolve(false))
  const answer = await promise
  signal?.removeEventListener('abort', abort)
  signal?.throwIfAborted()
  return answer
}

async function describeDatabase({ foundBy, url, written }: Candidate, signal?: AbortSignal): Promise<DatabaseFound> {
  const found = { foundBy, url: written, ...databaseIn(url) }
  try {
    await using connection = await openSql(url, { connectTimeoutMs: lookTimeoutMs }, signal)
    return { ...found, ...(await factsOf(connection)) }
  } catch {
    // It may want a password that we do not have: the user has it, and the catalog names no facts then.
    signal?.throwIfAborted()
    return found
  }
}

function databaseIn(url: string): { database?: string } {
  const name = describeUrl(url).split('/')[1]
  return name === undefined ? {} : { database: name }
}

async function factsOf(connection: SqlConnection): Promise<Partial<DatabaseFound>> {
  const [row] = await connection.query(
    `select current_database() as database, current_setting('server_version_num')::int / 10000 as version,
            (select setting from pg_settings where name = 'data_directory') as data_directory`,
  )
  const { database, version, data_directory: dataDirectory } = row ?? {}
  return {
    ...(database ? { database } : {}),
    ...(version ? { version: Number(version) } : {}),
    ...(dataDirectory ? { dataDirectory } : {}),
  }
}
