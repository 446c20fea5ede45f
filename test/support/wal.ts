import { join } from 'node:path'
import {
  createFetcher,
  createServer,
  finishRecovery,
  openSql,
  openWalArchive,
  parseLsn,
  prepareRecovery,
  promoteServer,
  receiveWal,
  recoverableWindow,
  waitUntilRecovered,
  type BackupPosition,
  type Fetcher,
  type PostgresServer,
  type PreparedRecovery,
  type Promoted,
  type ReceiveOptions,
  type ReceiverEvent,
  type RecoveredPosition,
  type RecoveryTarget,
  type WalArchive,
} from '../../src/postgres/index.ts'
import type { SealedArea } from '../../src/storage/index.ts'
import type { TestPostgres } from './postgres.ts'

export interface TestReceiver extends AsyncDisposable {
  readonly events: ReceiverEvent[]
  /** Settles when it has ended. */
  readonly ended: Promise<void>
  /** The first event of a kind, also one that was before. */
  event<T extends ReceiverEvent['type']>(type: T): Promise<Extract<ReceiverEvent, { type: T }>>
  stop(): Promise<void>
}

/** A receiver in this process. */
export function startReceiving(options: ReceiveOptions): TestReceiver {
  const events: ReceiverEvent[] = []
  const waiting: (() => void)[] = []
  const stop = new AbortController()
  const ended = receiveWal(
    options,
    (event) => {
      events.push(event)
      for (const wake of waiting.splice(0)) wake()
    },
    stop.signal,
  )
  const failed = ended.then(
    () => undefined,
    (error: unknown) => error,
  )
  return {
    events,
    ended,
    async event<T extends ReceiverEvent['type']>(type: T) {
      for (;;) {
        const found = events.find((event): event is Extract<ReceiverEvent, { type: T }> => event.type === type)
        if (found) return found
        const woken = new Promise<'woken'>((resolve) => {
          waiting.push(() => resolve('woken'))
        })
        if ((await Promise.race([woken, failed])) !== 'woken') throw (await failed) ?? new Error(`it ended without ${type}`)
      }
    },
    async stop() {
      stop.abort()
      await ended
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await failed
    },
  }
}

export async function archiveOf(pg: TestPostgres, area: SealedArea): Promise<WalArchive> {
  const [row] = await pg.sql('select system_identifier::text as id from pg_control_system()')
  return openWalArchive(area, row?.id ?? '')
}

/** Makes commits wait for a receiver. */
export async function waitForStandby(pg: TestPostgres, name: string): Promise<void> {
  await pg.sql(`alter system set synchronous_standby_names = '"${name}"'`)
  await pg.sql('select pg_reload_conf()')
  await until(async () => (await pg.sql("select 1 from pg_stat_replication where sync_state = 'sync'")).length > 0)
}

/** Waits until all that the server has flushed is in the archive. */
export async function untilStored(pg: TestPostgres, archive: WalArchive): Promise<void> {
  const [row] = await pg.sql('select pg_current_wal_flush_lsn()::text as lsn')
  const lsn = parseLsn(row?.lsn ?? '')
  await until(async () => (await archive.contents()).ranges.some((range) => range.end >= lsn))
}

/** Waits until a condition holds; the test's own timeout bounds it. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}

export interface RecoveredCopy extends AsyncDisposable {
  readonly server: PostgresServer
  readonly prepared: PreparedRecovery
  readonly reached: RecoveredPosition
  sql(command: string): Promise<readonly Readonly<Record<string, string | null>>[]>
  promote(): Promise<Promoted>
}

/** Recovers a restored data directory up to the pause at the target. */
export async function recoverCopy(
  pg: TestPostgres,
  request: {
    readonly dataDir: string
    readonly archive: WalArchive
    readonly position: BackupPosition
    readonly target: RecoveryTarget
    readonly timeline?: number
    readonly fetcher?: Pick<Fetcher, 'command'>
  },
): Promise<RecoveredCopy> {
  await using cleanUp = new AsyncDisposableStack()
  const { dataDir, archive } = request
  const window = await recoverableWindow(
    archive,
    request.position,
    request.timeline === undefined ? {} : { timeline: request.timeline },
  )
  const fetcher =
    request.fetcher ??
    cleanUp.use(
      await createFetcher({
        dataDir,
        archive,
        untilDamage: window.endedBy === 'damage',
        repository: { location: '/nowhere', password: { env: 'NONE' } },
        program: [process.execPath, join(import.meta.dirname, '../../bin/holdfast.js')],
      }),
    )
  const prepared = await prepareRecovery({ dataDir, window, target: request.target, fetchCommand: fetcher.command })
  const server = await createServer({ dataDir, installation: pg.server.installation })
  cleanUp.defer(async () => await server.stop('immediate'))
  await server.start()
  const reached = await waitUntilRecovered(server.url, prepared)
  const owned = cleanUp.move()
  return {
    server,
    prepared,
    reached,
    async sql(command) {
      await using connection = await openSql(server.url)
      return await connection.query(command)
    },
    async promote() {
      const promoted = await promoteServer(server.url)
      await finishRecovery(dataDir)
      return promoted
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
