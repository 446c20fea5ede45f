import { spawn, type ChildProcess } from 'node:child_process'
import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import {
  createServer,
  openSql,
  ownFolder,
  replicationState,
  requirePostgres,
  serverAccount,
  type Row,
  type ServerAccount,
} from '../../src/postgres/index.ts'
import { accountFolder } from '../support/postgres.ts'
import { killServer, signalServer } from '../support/server-signals.ts'
import { layNetwork, type Network } from './network.ts'

/** A row that a server acknowledged, and when it wrote it, by the machine's clock. */
export interface Acknowledged {
  readonly id: string
  readonly atMs: number
}

export interface Member {
  readonly name: 'primary' | 'west'
  readonly dataDir: string
  /** Over its socket, which no network cuts. */
  sql(command: string, database?: string): Promise<Row[]>
  start(): Promise<void>
  signal(name: NodeJS.Signals): Promise<void>
  kill(): Promise<void>
  /** What it acknowledged so far. */
  acknowledged(): Promise<readonly Acknowledged[]>
}

export interface World extends AsyncDisposable {
  readonly folder: string
  readonly network: Network
  readonly primary: Member
  readonly west: Member
}

const settings = `
fsync = off
shared_buffers = 16MB
wal_keep_size = 256MB
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 100ms
autovacuum = off
listen_addresses = '*'
`

const program = (command: readonly string[], account: ServerAccount): string[] => [
  'setpriv',
  '--reuid',
  String(account.uid),
  '--regid',
  String(account.gid),
  '--clear-groups',
  ...command,
]

/**
 * A primary and the standby `west` that streams from it, on machines of their own as far as the network goes, and a client at each that writes all the time. Everything is
 * ended and removed when it is disposed.
 */
export async function createWorld(template: string): Promise<World> {
  await using cleanUp = new AsyncDisposableStack()
  const folder = await accountFolder('holdfast-world-')
  cleanUp.defer(async () => await rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const network = cleanUp.use(await layNetwork())
  const account = await serverAccount()
  const [primary, west] = [member('primary', folder, network, account), member('west', folder, network, account)]
  for (const one of [primary, west]) {
    cleanUp.defer(async () => await one.kill())
    await cp(template, one.dataDir, { recursive: true })
    await appendFile(
      join(one.dataDir, 'postgresql.conf'),
      `${settings}unix_socket_directories = '${join(folder, `${one.name}.run`)}'\n`,
    )
    const hba = join(one.dataDir, 'pg_hba.conf')
    const trust = ['all', 'replication'].map((database) => `host ${database} all 10.213.0.0/16 trust\n`).join('')
    await writeFile(hba, trust + (await readFile(hba, 'utf8')))
    await ownFolder(one.dataDir, account)
    await ownFolder(join(folder, `${one.name}.run`), account)
  }
  await primary.start()
  await primary.sql(`select pg_create_physical_replication_slot('west', true)`)
  const source = network.address('primary', 'west')
  await writeFile(join(west.dataDir, 'standby.signal'), '')
  await appendFile(
    join(west.dataDir, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${source} port=5432 user=postgres application_name=west connect_timeout=2'\nprimary_slot_name = 'west'\n`,
  )
  await ownFolder(west.dataDir, account)
  await west.start()
  await primary.sql('create database shop')
  await primary.sql('create table rows (id text primary key, at timestamptz not null default clock_timestamp())', 'shop')
  await caughtUp(primary, west)
  for (const one of [primary, west]) {
    const url = `postgres://postgres@${network.address(one.name, 'clients')}:5432/shop`
    const client = spawnIn(
      network.inside('clients', [process.execPath, writer, url, one.name, join(folder, `${one.name}.ndjson`)]),
    )
    cleanUp.defer(() => ended(client))
  }
  await expect.poll(async () => (await primary.acknowledged()).length, { timeout: 60_000 }).toBeGreaterThan(5)
  const owned = cleanUp.move()
  return { folder, network, primary, west, [Symbol.asyncDispose]: async () => await owned.disposeAsync() }
}

/** A data directory that no server was ever started on, to make worlds of. */
export async function worldTemplate(): Promise<AsyncDisposable & { readonly dataDir: string }> {
  const folder = await accountFolder('holdfast-initdb-')
  const dataDir = join(folder, 'data')
  const server = await createServer({ dataDir, installation: requirePostgres(15) })
  await server.initialize({ durable: false })
  return { dataDir, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

const writer = new URL('writer.ts', import.meta.url).pathname

function member(name: Member['name'], folder: string, network: Network, account: ServerAccount): Member {
  const dataDir = join(folder, name)
  const url = (database: string) =>
    `postgres://postgres@/${database}?host=${encodeURIComponent(join(folder, `${name}.run`))}&port=5432`
  return {
    name,
    dataDir,
    signal: (wanted) => signalServer(dataDir, wanted),
    kill: () => killServer(dataDir),
    async sql(command, database = 'postgres') {
      await using connection = await openSql(url(database))
      return await connection.query(command)
    },
    async start() {
      const postgres = join(requirePostgres(15).binDir, 'postgres')
      spawnIn(network.inside(name, program([postgres, '-D', dataDir], account)))
      const answers = async () =>
        await replicationState(url('postgres')).then(
          () => true,
          () => false,
        )
      await expect.poll(answers, { timeout: 60_000 }).toBe(true)
    },
    async acknowledged() {
      const text = await readFile(join(folder, `${name}.ndjson`), 'utf8').catch(() => '')
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Acknowledged)
    },
  }
}

/** Until the standby has replayed all that the primary has written by now. */
export async function caughtUp(primary: Member, west: Member): Promise<void> {
  const [row] = await primary.sql('select pg_current_wal_lsn() as lsn')
  const replayed = async () =>
    (await west.sql(`select pg_last_wal_replay_lsn() >= '${row?.lsn ?? ''}'::pg_lsn as there`))[0]?.there
  await expect.poll(replayed, { timeout: 60_000 }).toBe('t')
}

export function spawnIn([command, ...args]: readonly [string, ...string[]]): ChildProcess {
  return spawn(command, args, { stdio: 'ignore', cwd: '/' })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const { promise, resolve } = Promise.withResolvers<void>()
  child.once('close', () => resolve())
  child.kill('SIGKILL')
  await promise
}
