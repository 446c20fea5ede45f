import { z } from 'zod'
import { HoldfastError } from '../kernel/index.ts'
import { workerEntry } from '../threads/index.ts'
import { amountOf, amountParam, sessionName, type Amount } from './connections/amount.ts'
import { describeMysql, isTooManyForMysql, openMysql, type Mysql } from './connections/mysql-client.ts'
import { endSessionsByHand, heldSessions, mysqlSeats } from './connections/mysql-session.ts'
import { lookAtHeld } from './connections/sight.ts'
import type { TraceContext } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { startHolder } from './holder/start.ts'
import { resolveUrl, urlOrSecret, type UrlOrSecret } from './location.ts'

const params = z.strictObject({ url: urlOrSecret, hold: amountParam.describe('How many connections to hold.') })
const traces = z.strictObject({ url: urlOrSecret, count: z.int().min(1), name: z.string() })
type Traces = z.infer<typeof traces>

const holder = () => workerEntry('connections/mysql-worker', import.meta.url)

/** Sessions that do nothing take the places of those that would. */
export const connectionsMysql = defineFault<{ url: UrlOrSecret; hold: Amount }, Traces>({
  kind: 'connections.mysql',
  description:
    'Holds connections to a MySQL or MariaDB server (mysql:// or mariadb://, `?ssl-mode=` REQUIRED, VERIFY_CA or VERIFY_IDENTITY for TLS (whom to trust besides the usual authorities, NODE_EXTRA_CA_CERTS says), `?socketPath=` for a socket), so that its clients and their pools find none free. The sessions sleep in a statement that begins with the name of the experiment, as SHOW PROCESSLIST shows it, and are held by a process that ends with whoever injected it; the server notices within seconds. The one connection that the server keeps for SUPER (CONNECTION ADMIN) is left alone, and a limit of the user’s own (max_user_connections) is heeded.',
  example: { url: { env: 'SHOP_DB_URL' }, hold: { leave: 10 } },
  params,
  traces,
  expiry: 'with-holder',
  holder,

  async plan({ url, hold }, context, signal) {
    const location = await resolveUrl(url, context, signal)
    const name = sessionName(context.experiment, context.id)
    await using mysql = await openMysql(location, name, signal)
    const { all, free } = await mysqlSeats(mysql)
    const count = amountOf(hold, free)
    return {
      targets: count === 0 ? [] : [`${count} of ${all} connections of ${describeMysql(location)}`],
      candidates: free,
      traces: { url, count, name },
    }
  },

  async inject(_params, { url, count, name }, context, signal) {
    const task = { url: await resolveUrl(url, context, signal), count, name }
    await startHolder(holder(), task, context, signal)
  },

  look: (traces, context, signal) =>
    lookAtHeld(
      traces.count,
      async () => {
        await using mysql = await open(traces, context, signal)
        return (await heldSessions(mysql, traces.name)).length
      },
      isTooManyForMysql,
      context,
    ),

  async undo(traces, context, signal) {
    await using mysql = await open(traces, context, signal)
    for (const { id } of await heldSessions(mysql, traces.name)) {
      try {
        await mysql.query(`kill ${id}`)
      } catch (error) {
        // ER_NO_SUCH_THREAD: it has ended by itself.
        if (!(error instanceof HoldfastError) || error.details.errno !== 1094) throw error
      }
    }
  },

  manualUndo: ({ url, name }) => [endSessionsByHand(url, name)],
})

async function open({ url, name }: Traces, context: TraceContext, signal: AbortSignal): Promise<Mysql> {
  return await openMysql(await resolveUrl(url, context, signal), name, signal)
}
