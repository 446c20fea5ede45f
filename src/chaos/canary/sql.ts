import type { Canary } from '../../catalog/index.ts'
import { openSql, sqlState, type SqlConnection } from '../../postgres/index.ts'
import type { CanaryTarget } from './canary.ts'

const applicationName = 'holdfast chaos canary'
/** SQLSTATE read_only_sql_transaction. */
const readOnly = '25006'

/** Rows in a PostgreSQL table, each in a transaction of its own. An acknowledgement is worth what the server's `synchronous_commit` makes it. */
export function sqlCanary(
  { table, everyMs, timeoutMs }: Extract<Canary, { readonly kind: 'sql' }>,
  { url, readUrl, run }: { readonly url: string; readonly readUrl: string; readonly run: string },
): CanaryTarget {
  let open: { readonly connection: SqlConnection; readonly cut: AbortController } | undefined
  const connect = async (to: string, cut: AbortController) =>
    await openSql(to, { connectTimeoutMs: timeoutMs, applicationName }, cut.signal)
  const close = async () => {
    const closing = open
    open = undefined
    closing?.cut.abort()
    // It is cut off already: nothing is left to say to it.
    await Promise.resolve(closing?.connection[Symbol.asyncDispose]()).catch(() => {})
  }
  /** On a connection of its own, cut off when its time is over. */
  const once = async (to: string, sql: string, values: readonly string[], signal: AbortSignal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    await using connection = await openSql(to, { connectTimeoutMs: timeoutMs, applicationName }, limit)
    return await connection.query(sql, values)
  }
  return {
    everyMs,
    async prepare(signal) {
      const columns =
        'run text not null, seq bigint not null, written_at timestamptz not null default clock_timestamp(), primary key (run, seq)'
      await once(url, `create table if not exists ${table} (${columns})`, [], signal)
    },
    async write(seq) {
      const cut = new AbortController()
      const timer = setTimeout(() => (open?.cut ?? cut).abort(), timeoutMs)
      try {
        open ??= { connection: await connect(url, cut), cut }
        await open.connection.query(`insert into ${table} (run, seq) values ($1, $2)`, [run, seq])
      } catch (error) {
        await close()
        throw error
      } finally {
        clearTimeout(timer)
      }
    },
    async read(signal) {
      const rows = await once(readUrl, `select seq from ${table} where run = $1`, [run], signal)
      return rows.map((row) => Number(row.seq))
    },
    async clean(signal) {
      const remove = (at: string) => once(at, `delete from ${table} where run = $1`, [run], signal)
      try {
        await remove(readUrl)
      } catch (error) {
        // Only one that says that it is a standby shows that it never took over, and that the server that was written to leads still. One that does not lead any more must not be written to.
        if (sqlState(error) !== readOnly) throw error
        await remove(url)
      }
    },
    [Symbol.asyncDispose]: close,
  }
}
