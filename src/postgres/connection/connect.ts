import pg from 'pg'
import { HoldfastError } from '../../kernel/index.ts'
import { postgresError } from './errors.ts'
import { describeUrl, isConnectionUrl } from './location.ts'

export type Row = Readonly<Record<string, string | null>>

export interface ConnectOptions {
  /** Ask for a physical replication connection. */
  readonly replication?: boolean
  readonly connectTimeoutMs?: number
  /** Shown in pg_stat_activity and pg_stat_replication; a synchronous standby is known by it. */
  readonly applicationName?: string
}

const keepAliveDelayMs = 10_000

/** An authenticated pg client. Aborting the signal destroys its socket, at any time in its life. Errors: see postgresError. */
export async function connectClient(url: string, options: ConnectOptions = {}, signal?: AbortSignal): Promise<pg.Client> {
  signal?.throwIfAborted()
  const config: pg.ClientConfig & { replication?: string } = {
    connectionString: driverUrl(url),
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayMs,
    application_name: options.applicationName ?? 'holdfast',
    ...(options.replication === true ? { replication: 'true' } : {}),
  }
  if (!isConnectionUrl(url)) throw unreadableUrl(url)
  let client: pg.Client
  try {
    client = new pg.Client(config)
  } catch (error) {
    // The parser's message may repeat the URL, and so its password: it is not passed on.
    throw unreadableUrl(url, error)
  }
  // A connection that breaks while nothing is asked of it has no other listener, and would end the process. The next use reports it.
  client.on('error', () => {})
  const destroy = () => client.connection.stream.destroy()
  signal?.addEventListener('abort', destroy, { once: true })
  try {
    await client.connect()
  } catch (error) {
    signal?.removeEventListener('abort', destroy)
    destroy()
    signal?.throwIfAborted()
    throw postgresError(error, url)
  }
  client.connection.stream.once('close', () => signal?.removeEventListener('abort', destroy))
  return client
}

export function unreadableUrl(url: string, error?: unknown): HoldfastError {
  return new HoldfastError('usage', {
    message: `the connection URL of ${describeUrl(url)} cannot be read`,
    hint: 'write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded',
    details: { reason: error instanceof Error ? error.name : 'not a URL' },
  })
}

/**
 * The URL as the driver should read it. `sslmode` means what it means to psql: without this, pg verifies certificates for `require` too.
 * Our name in the server's views is ours to choose: a synchronous standby is known by it.
 */
function driverUrl(url: string): string {
  if (!URL.canParse(url)) return url
  const parsed = new URL(url)
  parsed.searchParams.delete('application_name')
  if (parsed.searchParams.has('sslmode')) parsed.searchParams.set('uselibpqcompat', 'true')
  return parsed.toString()
}

/** An ordinary connection: text in, rows of text out. */
export interface SqlConnection extends AsyncDisposable {
  /** One command with `$1` parameters. All values come as PostgreSQL's own text; null is null. Throws `postgres-failed` and its like. */
  query(sql: string, values?: readonly (string | number | bigint | boolean | null)[]): Promise<Row[]>
}

const textOnly: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value }

/** Opens an ordinary connection. The signal, when aborted, destroys it and its query in flight. */
export async function openSql(url: string, options: ConnectOptions = {}, signal?: AbortSignal): Promise<SqlConnection> {
  const client = await connectClient(url, options, signal)
  return {
    async query(sql, values = []) {
      try {
        const result = await client.query<Record<string, string | null>>({ text: sql, values: [...values], types: textOnly })
        return result.rows
      } catch (error) {
        signal?.throwIfAborted()
        throw postgresError(error, url)
      }
    },
    async [Symbol.asyncDispose]() {
      await client.end().catch(() => client.connection.stream.destroy())
    },
  }
}
