import { join } from 'node:path'
import { backup, restoreSnapshot, type BackupSummary } from '../../src/backup/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { openSql, serverAccount, type PostgresInstallation, type Row } from '../../src/postgres/index.ts'
import { createRepository, type Repository } from '../../src/repository/index.ts'
import { backupPaths, createPostgresSource } from '../../src/sources/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import type { TestPostgres } from './postgres.ts'

export const repositoryPassword = 'correct horse'
export const service = 'orders'

/** A new repository in the folder of a server. */
export async function repositoryBeside(pg: TestPostgres): Promise<Repository & { readonly path: string }> {
  const path = join(pg.folder, 'repository')
  const repository = await createRepository(await openLocalBackend(path), repositoryPassword)
  return Object.assign(repository, { path })
}

export async function protect(
  repository: Repository,
  url: string,
  { signal = new AbortController().signal, onProgress = () => {} }: { signal?: AbortSignal; onProgress?: () => void } = {},
): Promise<BackupSummary> {
  return await backup({ repository, source: createPostgresSource({ url, service }) }, onProgress, signal)
}

/** Holdfast's own restore of the newest snapshot: the data directory. */
export async function restoreNewest(repository: Repository, target: string): Promise<string> {
  const signal = new AbortController().signal
  await restoreSnapshot({ repository, snapshot: await repository.findSnapshot('latest'), target }, () => {}, signal)
  return join(target, backupPaths.data(service))
}

const accounts = 100
const writers = 3

export const createLedger = `
  create extension amcheck;
  create table accounts as select id, 0 as balance, repeat(md5(id::text), 10) as filler from generate_series(1, 30000) id;
  alter table accounts add primary key (id);
  create table transfers (id bigserial primary key, source int, target int);
  create table counted as select 0::bigint as transfers`

/** Transfers between accounts while `work` runs, as pgbench does: in every consistent copy the balances' sum is zero. */
export async function whileWriting<T>(pg: TestPostgres, work: () => Promise<T>): Promise<{ result: T; transfers: number }> {
  const stop = new AbortController()
  let transfers = 0
  const running = Array.from({ length: writers }, async (_, writer) => {
    await using connection = await openSql(pg.url)
    for (let at = 1; !stop.signal.aborted; at++) {
      // Each has its own accounts: no deadlocks.
      const [source, target] = [writer * accounts + 1 + (at % 50), writer * accounts + 51 + ((at * 7) % 49)]
      await connection.query(
        `with moved as (update accounts set balance = balance + case id when $1 then -1 else 1 end where id in ($1, $2)),
              counting as (update counted set transfers = transfers + 1)
         insert into transfers (source, target) values ($1, $2)`,
        [source, target],
      )
      transfers++
    }
  })
  try {
    return { result: await work(), transfers }
  } finally {
    stop.abort()
    await Promise.all(running)
  }
}

/** What must hold in every consistent copy, and whether each index agrees with its table. */
export async function auditLedger(url: string): Promise<Row> {
  await using connection = await openSql(url)
  await connection.query(`
    select bt_index_check(index => c.oid, heapallindexed => true)
    from pg_class c join pg_am a on a.oid = c.relam where a.amname = 'btree' and c.relkind = 'i'`)
  const [row] = await connection.query(`
    select (select sum(balance) from accounts) as sum,
           (select count(*) from accounts) as accounts,
           (select count(*) from transfers) = (select transfers from counted) as counted_right,
           (select count(*) from transfers) > 0 as has_transfers`)
  return row ?? {}
}

export const soundLedger: Row = { sum: '0', accounts: '30000', counted_right: 't', has_transfers: 't' }

/** Starts a data directory with pg_ctl alone, as an administrator without Holdfast would; looks; stops it. */
export async function withPlainPostgres<T>(
  installation: PostgresInstallation,
  dataDir: string,
  look: (url: string) => Promise<T>,
): Promise<T> {
  const { uid, gid } = await serverAccount()
  const identity = process.geteuid?.() === 0 ? { uid, gid } : {}
  // A folder that is surely the server's own.
  const socketDir = dataDir
  const control = async (...args: string[]) => {
    const done = await runProcess(join(installation.binDir, 'pg_ctl'), ['-D', dataDir, '-w', ...args], { cwd: '/', ...identity })
    if (done.exitCode !== 0) throw new Error(`pg_ctl ${args[0]}: ${done.stdout}${done.stderr}`)
  }
  await control('start', '-l', join(dataDir, 'plain.log'), '-o', `-k ${socketDir} -p 5499 -c listen_addresses=`)
  try {
    return await look(`postgresql:///postgres?host=${encodeURIComponent(socketDir)}&port=5499&user=postgres`)
  } finally {
    await control('stop', '-m', 'immediate')
  }
}
