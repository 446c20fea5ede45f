import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Catalog } from '../../src/catalog/index.ts'
import {
  createServer,
  openSql,
  ownFolder,
  replicationState,
  requirePostgres,
  serverAccount,
  type PostgresServer,
  type Row,
} from '../../src/postgres/index.ts'
import { loadRunCatalog } from '../../src/service/index.ts'
import { accountFolder } from './account-folder.ts'
import { killServer, signalServer } from './server-signals.ts'

export interface ReplicatedServer {
  readonly name: string
  readonly server: PostgresServer
  readonly dataDir: string
  /** Over its socket, to the database `postgres`. */
  readonly url: string
  /** To another database of it. */
  urlOf(database: string): string
  sql(command: string, values?: readonly (string | number | bigint | boolean | null)[]): Promise<Row[]>
  /** SIGSTOP to the postmaster and all its children, and SIGCONT. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** SIGKILL to all of its processes. */
  kill(): Promise<void>
}

export interface ReplicatedPair extends AsyncDisposable {
  /** Of both servers' account; removed at the end. */
  readonly folder: string
  readonly primary: ReplicatedServer
  /** Streams from the primary by a slot, and is called `west` in the catalog. */
  readonly standby: ReplicatedServer
  /** The path of a catalog with the service `orders`, whose servers are these two; `more` is appended: plans, for example. */
  writeCatalog(options?: CatalogOptions): Promise<string>
  catalog(options?: CatalogOptions): Promise<Catalog>
  /** Until the standby has replayed all that the primary has written by now. */
  caughtUp(): Promise<void>
}

export interface CatalogOptions {
  readonly more?: string
  /** Members of the service, such as `recovery: failover`. */
  readonly service?: string
  /** Instead of the standby's own URL. */
  readonly standbyUrl?: string
  /** False: as if the primary were on another machine, where its files cannot be read. */
  readonly primaryIsHere?: boolean
}

export interface PairOptions {
  readonly version: 15 | 18
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Default true. */
  readonly dataChecksums?: boolean
  /** Lets both be reached over 127.0.0.1 too, without a password: for proxies. */
  readonly ports?: { readonly primary: number; readonly standby: number }
}

/** Quick to make, quick to notice, and quiet: what is in the WAL is what a test wrote. */
const settings = {
  fsync: 'off',
  shared_buffers: '16MB',
  wal_keep_size: '256MB',
  wal_receiver_status_interval: '1s',
  wal_retrieve_retry_interval: '100ms',
  hot_standby: 'on',
  autovacuum: 'off',
  listen_addresses: '',
}

/**
 * A primary and a standby that streams from it: real servers in a temporary folder, each on a socket of its own. The standby is a copy of the
 * primary's data directory before its first start, so that no base backup has to be waited for. All of their processes are gone when it is disposed, frozen ones and
 * those that somebody else started on these folders too.
 */
export async function startPair(options: PairOptions): Promise<ReplicatedPair> {
  await using cleanUp = new AsyncDisposableStack()
  const folder = await accountFolder('holdfast-pair-')
  cleanUp.defer(async () => await rm(folder, { recursive: true, force: true }))
  const [primary, standby] = [await place(folder, 'primary', options), await place(folder, 'west', options)]
  for (const one of [primary, standby]) cleanUp.defer(async () => await one.kill())
  const account = await serverAccount()
  for (const one of [primary, standby]) {
    await cp(await initialized(options), one.dataDir, { recursive: true })
    await ownFolder(one.dataDir, account)
    await appendFile(join(one.dataDir, 'postgresql.conf'), settingsText({ ...settings, ...options.settings }))
  }
  for (const [one, port] of [
    [primary, options.ports?.primary],
    [standby, options.ports?.standby],
  ] as const) {
    const listen = port === undefined ? `port = 5432` : `port = ${port}\nlisten_addresses = '127.0.0.1'`
    await appendFile(
      join(one.dataDir, 'postgresql.conf'),
      `\nunix_socket_directories = '${socketOf(folder, one.name)}'\n${listen}\n`,
    )
    if (port === undefined) continue
    const hba = join(one.dataDir, 'pg_hba.conf')
    const trust = ['all', 'replication'].map((database) => `host ${database} all 127.0.0.1/32 trust\n`).join('')
    await writeFile(hba, trust + (await readFile(hba, 'utf8')))
  }
  await primary.server.start({ detached: true })
  await primary.sql(`select pg_create_physical_replication_slot('west', true)`)
  await writeFile(join(standby.dataDir, 'standby.signal'), '')
  await appendFile(
    join(standby.dataDir, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${socketOf(folder, 'primary')} port=${options.ports?.primary ?? 5432} user=postgres application_name=west'\nprimary_slot_name = 'west'\n`,
  )
  await standby.server.start({ detached: true })
  const owned = cleanUp.move()
  const pair: ReplicatedPair = {
    folder,
    primary,
    standby,
    async writeCatalog(catalog) {
      const path = join(folder, 'holdfast.yaml')
      await writeFile(path, catalogText(primary, standby, catalog))
      return path
    },
    catalog: async (catalog) => await loadRunCatalog(await pair.writeCatalog(catalog)),
    async caughtUp() {
      const { lsn } = await replicationState(primary.url)
      await expect
        .poll(async () => ((await replicationState(standby.url)).lsn ?? 0n) >= (lsn ?? 0n), { timeout: 60_000 })
        .toBe(true)
    },
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  }
  await pair.caughtUp()
  return pair
}

const templates = new Map<string, Promise<{ folder: string; dataDir: string }>>()
afterAll(async () => {
  for (const template of templates.values()) await rm((await template).folder, { recursive: true })
  templates.clear()
})

/** A data directory that no server was ever started on. One initdb serves all pairs of a test file, so they are of one cluster. */
async function initialized({ version, dataChecksums = true }: PairOptions): Promise<string> {
  const make = async () => {
    const folder = await accountFolder('holdfast-initdb-')
    const dataDir = join(folder, 'data')
    const server = await createServer({ dataDir, installation: requirePostgres(version) })
    await server.initialize({ durable: false, dataChecksums })
    return { folder, dataDir }
  }
  return (await templates.getOrInsertComputed(`${version} ${dataChecksums}`, make)).dataDir
}

const settingsText = (values: PairOptions['settings']) =>
  Object.entries(values ?? {})
    .map(([name, value]) => `${name} = '${String(value)}'\n`)
    .join('')

const socketOf = (folder: string, name: string) => join(folder, `${name}.run`)

async function place(folder: string, name: string, { version }: PairOptions): Promise<ReplicatedServer> {
  const dataDir = join(folder, name)
  await ownFolder(socketOf(folder, name), await serverAccount())
  const server = await createServer({ dataDir, installation: requirePostgres(version), listen: 'configured' })
  return {
    name,
    server,
    dataDir,
    get url() {
      return server.url
    },
    urlOf: (database) => server.url.replace('/postgres?', `/${database}?`),
    async sql(command, values) {
      await using connection = await openSql(server.url)
      return await connection.query(command, values)
    },
    freeze: () => signalServer(dataDir, 'SIGSTOP'),
    thaw: () => signalServer(dataDir, 'SIGCONT'),
    kill: () => killServer(dataDir),
  }
}

function catalogText(primary: ReplicatedServer, standby: ReplicatedServer, options: CatalogOptions = {}): string {
  const { more = '', service = '', standbyUrl = standby.url, primaryIsHere = true } = options
  return `version: 1
name: acme
sites: { east: {}, west: {} }
services:
  orders:
    owner: Orders
    site: east
    objectives: { rpo: 1m, rto: 5m }
    data:
      postgres:
        url: '${primary.url}'
        ${primaryIsHere ? '' : 'host: elsewhere.example\n        '}dataDirectory: ${primary.dataDir}
        standbys:
          west: { url: '${standbyUrl}', site: west, dataDirectory: ${standby.dataDir} }
${service.replaceAll(/^(?=.)/gm, '    ')}
${more}
`
}
