import { z } from 'zod'
import { HoldfastError, isHoldfastError } from '../kernel/index.ts'
import { describeUrl, openSql, type SqlConnection } from '../postgres/index.ts'
import { workerEntry } from '../threads/index.ts'
import { amountOf, amountParam, sessionName, type Amount } from './connections/amount.ts'
import { lookAtHeld } from './connections/sight.ts'
import { defineFault } from './define-fault.ts'
import { startHolder } from './holder/start.ts'
import { resolveUrl, urlInShell, urlOrSecret, type UrlOrSecret } from './location.ts'

const params = z.strictObject({ url: urlOrSecret, hold: amountParam.describe('How many connections to hold.') })
const traces = z.strictObject({ url: urlOrSecret, count: z.int().min(1), applicationName: z.string() })

type Traces = z.infer<typeof traces>

const holder = () => workerEntry('connections/postgres-worker', import.meta.url)

/** Sessions that do nothing take the places of those that would. */
export const connectionsPostgres = defineFault<{ url: UrlOrSecret; hold: Amount }, Traces>({
  kind: 'connections.postgres',
  description:
    'Holds connections to a PostgreSQL server, so that its clients and their pools find none free. The sessions are named after the experiment (application_name), are held by a process that ends with whoever injected it, and are counted in pg_stat_activity. The connections that the server reserves for superusers are left alone.',
  example: { url: { env: 'ORDERS_DB_URL' }, hold: { leave: 10 } },
  params,
  traces,
  expiry: 'with-holder',
  holder,

  async plan({ url, hold }, context, signal) {
    const location = await resolveUrl(url, context, signal)
    await using sql = await openSql(location, {}, signal)
    const { all, free } = await seats(sql)
    const count = amountOf(hold, free)
    return {
      targets: count === 0 ? [] : [`${count} of ${all} connections of ${describeUrl(location)}`],
      candidates: free,
      traces: { url, count, applicationName: sessionName(context.experiment, context.id) },
    }
  },

  async inject(_params, { url, count, applicationName }, context, signal) {
    const task = { url: await resolveUrl(url, context, signal), count, applicationName }
    await startHolder(holder(), task, context, signal)
  },

  look: ({ url, count, applicationName }, context, signal) =>
    lookAtHeld(
      count,
      async () => {
        await using sql = await openSql(await resolveUrl(url, context, signal), {}, signal)
        const [row] = await sql.query('select count(*) as held from pg_stat_activity where application_name = $1', [
          applicationName,
        ])
        return Number(row?.held)
      },
      isTooMany,
      context,
    ),

  async undo({ url, applicationName }, context, signal) {
    // The server ends sessions whose client is gone by itself; on a slow line it may notice late.
    await using sql = await openSql(await resolveUrl(url, context, signal), {}, signal)
    await sql.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [applicationName])
  },

  manualUndo: ({ url, applicationName }) => [
    `psql ${urlInShell(url)} -c "select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${applicationName}'"`,
  ],
})

/** SQLSTATE 53300, too_many_connections. */
function isTooMany(error: unknown): boolean {
  return isHoldfastError(error) && error.details.sqlState === '53300'
}

/** How many connections ordinary users may have, and how many of them are free once this one is closed. */
async function seats(sql: SqlConnection): Promise<{ all: number; free: number }> {
  const [row] = await sql.query(`
    select current_setting('max_connections')::int as all_seats,
           current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true), '0')::int as reserved,
           (select count(*) from pg_stat_activity where backend_type in ('client backend') and pid <> pg_backend_pid()) as used`)
  if (row === undefined) throw new HoldfastError('postgres-failed', { message: 'the server says nothing of its connections' })
  const all = Number(row.all_seats)
  return { all, free: Math.max(0, all - Number(row.reserved) - Number(row.used)) }
}
