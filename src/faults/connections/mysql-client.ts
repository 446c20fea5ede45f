import type { Connection, RowDataPacket } from 'mysql2/promise'
import { HoldfastError, messageOf } from '../../kernel/index.ts'

type MysqlRow = Readonly<Record<string, string | number | null>>

export interface Mysql extends AsyncDisposable {
  query(sql: string): Promise<readonly MysqlRow[]>
}

const connectTimeoutMs = 10_000

/** mysql://user@host:3306/, mariadb://…, or with ?socketPath=/run/mysqld/mysqld.sock. The client is loaded here, for nothing else needs it. */
export async function openMysql(url: string, programName: string, signal?: AbortSignal): Promise<Mysql> {
  signal?.throwIfAborted()
  const client = await import('mysql2/promise')
  let connection: Connection
  try {
    connection = await client.createConnection({
      uri: url.replace(/^mariadb:/, 'mysql:'),
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
