import { isIP } from 'node:net'
import type { Connection, RowDataPacket, SslOptions } from 'mysql2/promise'
import { HoldfastError, messageOf } from '../../kernel/index.ts'

type MysqlRow = Readonly<Record<string, string | number | null>>

export interface Mysql extends AsyncDisposable {
  query(sql: string): Promise<readonly MysqlRow[]>
}

const connectTimeoutMs = 10_000

/** As `ssl-mode` of MySQL’s own clients has them: encrypted, by whomever; by whom an authority vouches for; and by that very server. */
const sslModes: Readonly<Record<string, SslOptions | undefined>> = {
  DISABLED: undefined,
  REQUIRED: { rejectUnauthorized: false },
  VERIFY_CA: { rejectUnauthorized: true },
  VERIFY_IDENTITY: { rejectUnauthorized: true, verifyIdentity: true },
}

/**
 * mysql://user@host:3306/, mariadb://…, with ?ssl-mode=VERIFY_IDENTITY over TLS, or with ?socketPath=/run/mysqld/mysqld.sock. The client is loaded here,
 * for nothing else needs it. Throws `usage` for an `ssl-mode` that there is not, or that needs a name.
 */
export async function openMysql(url: string, programName: string, signal?: AbortSignal): Promise<Mysql> {
  signal?.throwIfAborted()
  const { uri, ssl } = withoutSslMode(url)
  const client = await import('mysql2/promise')
  let connection: Connection
  try {
    connection = await client.createConnection({
      uri,
      ...(ssl === undefined ? {} : { ssl }),
      connectTimeout: connectTimeoutMs,
      connectAttributes: { program_name: programName },
    })
  } catch (error) {
    throw mysqlError(error, url)
  }
  // An error that no query waits for is one of the connection: the next query says it.
  connection.on('error', () => {})
  const stop = () => connection.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  return {
    async query(sql) {
      try {
        const [rows] = await connection.query<RowDataPacket[]>(sql)
        return Array.isArray(rows) ? rows : []
      } catch (error) {
        signal?.throwIfAborted()
        throw mysqlError(error, url)
      }
    },
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', stop)
      await connection.end().catch(() => connection.destroy())
    },
  }
}

/** ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS and ER_USER_LIMIT_REACHED: the server, or the user, has no connection left. */
export function isTooManyForMysql(error: unknown): boolean {
  return error instanceof HoldfastError && [1040, 1203, 1226].includes(Number(error.details.errno))
}

/** What the URL says of TLS, and the rest of it as the client takes it. */
function withoutSslMode(url: string): { readonly uri: string; readonly ssl: SslOptions | undefined } {
  const parts = new URL(url.replace(/^mariadb:/, 'mysql:'))
  const mode = parts.searchParams.get('ssl-mode') ?? 'DISABLED'
  if (!Object.hasOwn(sslModes, mode))
    throw new HoldfastError('usage', { message: `ssl-mode=${mode}: expected one of ${Object.keys(sslModes).join(', ')}` })
  // The client would look for another name in the certificate.
  if (mode === 'VERIFY_IDENTITY' && isIP(parts.hostname.replaceAll(/[[\]]/g, '')) !== 0)
    throw new HoldfastError('usage', {
      message: `ssl-mode=${mode} needs the name of a host, and ${parts.hostname} is an address`,
    })
  parts.searchParams.delete('ssl-mode')
  return { uri: parts.href, ssl: sslModes[mode] }
}

/** For messages: without a password. */
export function describeMysql(url: string): string {
  const { username, hostname, port, searchParams } = new URL(url)
  const place = searchParams.get('socketPath') ?? `${hostname}${port === '' ? '' : `:${port}`}`
  return `${username === '' ? '' : `${decodeURIComponent(username)}@`}${place}`
}

function mysqlError(error: unknown, url: string): HoldfastError {
  const { errno } = error as { readonly errno?: number }
  return new HoldfastError('command-failed', {
    message: `${describeMysql(url)}: ${messageOf(error)}`,
    hint: 'check the address, the user and its rights, and that the server runs',
    retryable: true,
    details: errno === undefined ? {} : { errno },
    cause: error,
  })
}
