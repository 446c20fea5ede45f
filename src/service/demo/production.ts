import { createOrdersTable, startWorkload, type Workload } from './workload.ts'
import { writeReceipts, type FileManifest } from './receipts.ts'
import { removeTree, type DemoLayout } from './layout.ts'
import {
  createServer,
  listPostgres,
  openSql,
  requirePostgres,
  type PostgresInstallation,
  type PostgresServer,
} from '../../postgres/index.ts'
import { HoldfastError, systemClock } from '../../kernel/index.ts'

/** The site that is going to be destroyed: a live server with writers, and a folder of files. */
export interface Production extends AsyncDisposable {
  readonly server: PostgresServer
  readonly installation: PostgresInstallation
  readonly manifest: FileManifest
  startWriting(): Promise<Workload>
  /** Commits wait from now on until the receiver has stored their WAL. */
  waitForReceiver(
    applicationName: string,
    synchronous: boolean,
    signal: AbortSignal,
    assertRunning: () => Promise<void>,
  ): Promise<void>
  /** SIGKILL to the server, then its data directory and the folder of files are deleted. */
  destroy(): Promise<void>
}

const receiptCount = 200
const writerCount = 4
const receiverPatienceMs = 30_000

/** The system's PostgreSQL if there is one, else npm's. Throws `postgres-not-found`. */
export function demoInstallation(): PostgresInstallation {
  const supported = listPostgres().find(({ version }) => version >= 15)
  return supported ?? requirePostgres()
}

export async function startProduction(layout: DemoLayout, signal: AbortSignal): Promise<Production> {
  const installation = demoInstallation()
  const { dataDirectory, files, log, root } = layout.production
  const server = await createServer({ dataDir: dataDirectory, installation, logFile: log })
  try {
    await server.initialize({}, signal)
    await server.start({}, signal)
    await createOrdersTable(server.url)
    const manifest = await writeReceipts(files, receiptCount)
    return {
      server,
      installation,
      manifest,
      startWriting: () => startWorkload(server.url, writerCount),
      waitForReceiver: (...receiver) => waitForReceiver(server.url, ...receiver),
      async destroy() {
        await server.kill()
        await removeTree(root)
      },
      [Symbol.asyncDispose]: () => end(server),
    }
  } catch (error) {
    await end(server)
    throw error
  }
}

/** Nothing in it is worth a checkpoint. Stopping what is gone removes its socket's folder. */
async function end(server: PostgresServer): Promise<void> {
  await server.kill()
  await server.stop()
}

async function waitForReceiver(
  url: string,
  applicationName: string,
  synchronous: boolean,
  signal: AbortSignal,
  assertRunning: () => Promise<void>,
): Promise<void> {
  await using connection = await openSql(url, {}, signal)
  const give = AbortSignal.any([signal, AbortSignal.timeout(receiverPatienceMs)])
  const until = async (sql: string) => {
    for (;;) {
      const rows = await connection.query(sql, [applicationName])
      if (rows.length > 0) return
      await assertRunning()
      await systemClock.sleep(50, give).catch(() => {
        signal.throwIfAborted()
        throw new HoldfastError('timed-out', {
          message: `the WAL receiver ${applicationName} did not begin to stream within ${receiverPatienceMs / 1000} s`,
        })
      })
    }
  }
  await until(`select 1 from pg_stat_replication where application_name = $1 and state = 'streaming'`)
  if (!synchronous) return
  await connection.query(`alter system set synchronous_standby_names = '"${applicationName}"'`)
  await connection.query('select pg_reload_conf()')
  await until(`select 1 from pg_stat_replication where application_name = $1 and sync_state = 'sync'`)
}
