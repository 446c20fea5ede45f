import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { appendFile, cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openSql, ownFolder, replicationState, requirePostgres, type Row, type ServerAccount } from '../../src/postgres/index.ts'
import { killServer, signalServer } from '../support/server-signals.ts'
import { until } from '../support/until.ts'
import type { Network } from './network.ts'

/** A PostgreSQL server on a machine of its own, as far as the network goes. */
export interface Member {
  readonly name: 'primary' | 'west'
  readonly dataDir: string
  /** Of its socket. */
  readonly runDir: string
  /** Over its socket, which no network cuts. */
  sql(command: string, database?: string): Promise<Row[]>
  /** As by hand: the server, and nothing else. */
  start(): Promise<void>
  answers(): Promise<void>
  signal(name: NodeJS.Signals): Promise<void>
  kill(): Promise<void>
}

export interface MemberParts {
  readonly folder: string
  /** A data directory that no server was ever started on. */
  readonly template: string
  readonly network: Network<'primary' | 'west'>
  readonly account: ServerAccount
  /** Lines of postgresql.conf. */
  readonly settings?: string
}

const settings = (name: string, runDir: string) => `
cluster_name = '${name}'
fsync = off
shared_buffers = 16MB
wal_keep_size = 256MB
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 100ms
autovacuum = off
listen_addresses = '*'
unix_socket_directories = '${runDir}'
`

export async function makeMember(name: Member['name'], parts: MemberParts): Promise<Member> {
  const { folder, template, network, account } = parts
  const [dataDir, runDir] = [join(folder, name), join(folder, `${name}.run`)]
  await cp(template, dataDir, { recursive: true })
  await appendFile(join(dataDir, 'postgresql.conf'), `${settings(name, runDir)}${parts.settings ?? ''}`)
  const hba = join(dataDir, 'pg_hba.conf')
  const trust = ['all', 'replication'].map((database) => `host ${database} all 10.213.0.0/16 trust\n`).join('')
  await writeFile(hba, trust + (await readFile(hba, 'utf8')))
  await ownFolder(dataDir, account)
  await ownFolder(runDir, account)
  const url = (database: string) => `postgres://postgres@/${database}?host=${encodeURIComponent(runDir)}&port=5432`
  const ask = async () =>
    await replicationState(url('postgres')).then(
      () => true,
      () => false,
    )
  const member: Member = {
    name,
    dataDir,
    runDir,
    signal: (wanted) => signalServer(dataDir, wanted),
    kill: () => killServer(dataDir),
    async sql(command, database = 'postgres') {
      await using connection = await openSql(url(database))
      return await connection.query(command)
    },
    async start() {
      const postgres = join(requirePostgres(15).binDir, 'postgres')
      spawnIn(network.inside(name, asAccount([postgres, '-D', dataDir], account)))
      await member.answers()
    },
    async answers() {
      await until(`until ${name} answers`, ask, (is) => is)
    },
  }
  return member
}

/** What makes the other a standby of the primary when it is started, through a slot that the primary must have. */
export async function makeStandby({ dataDir, name }: Member, { network, account }: MemberParts): Promise<void> {
  await writeFile(join(dataDir, 'standby.signal'), '')
  await appendFile(
    join(dataDir, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${network.address('primary')} port=5432 user=postgres application_name=${name} connect_timeout=2'\nprimary_slot_name = '${name}'\n`,
  )
  await ownFolder(dataDir, account)
}

/** Until the standby has replayed all that the primary has written by now. */
export async function caughtUp(primary: Member, west: Member): Promise<void> {
  const [row] = await primary.sql('select pg_current_wal_lsn() as lsn')
  const ask = async () => (await west.sql(`select pg_last_wal_replay_lsn() >= '${row?.lsn ?? ''}'::pg_lsn as there`))[0]?.there
  await until('until the standby has caught up', ask, (there) => there === 't')
}

/** The command, as the account that may run a server. */
export function asAccount(command: readonly string[], account: ServerAccount): string[] {
  const [uid, gid] = [String(account.uid), String(account.gid)]
  return ['setpriv', '--reuid', uid, '--regid', gid, '--clear-groups', ...command]
}

export function spawnIn([command, ...args]: readonly [string, ...string[]], options: SpawnOptions = {}): ChildProcess {
  return spawn(command, args, { stdio: 'ignore', cwd: '/', ...options })
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const { promise, resolve } = Promise.withResolvers<void>()
  child.once('close', () => resolve())
  child.kill('SIGKILL')
  await promise
}
