import { cp, mkdir, readdir, rm, writeFile, chmod, chown } from 'node:fs/promises'
import { join } from 'node:path'
import { openSql, parseLsn, serverAccount, type BackupPosition } from '../../src/postgres/index.ts'
import type { TestPostgres } from './postgres.ts'

/**
 * A base backup by the plainest means: the server's files copied between pg_backup_start and pg_backup_stop. Without WAL, so that a recovery
 * from it stands on the archive alone.
 */
export async function copiedBackup(
  pg: TestPostgres,
  target: string,
  { without = [] }: { readonly without?: readonly string[] } = {},
): Promise<BackupPosition> {
  await using connection = await openSql(pg.url)
  const [start] = await connection.query(
    "select pg_backup_start('test', true)::text as lsn, extract(epoch from clock_timestamp())::text as at",
  )
  await mkdir(target, { mode: 0o700 })
  const skipped = new Set(['pg_wal', 'postmaster.pid', 'postmaster.opts', 'pg_replslot', 'pg_stat_tmp', ...without])
  for (const name of await readdir(pg.dataDir)) {
    if (skipped.has(name)) continue
    await cp(join(pg.dataDir, name), join(target, name), { recursive: true })
  }
  const [stop] = await connection.query('select lsn::text, labelfile from pg_backup_stop(false)')
  await writeFile(join(target, 'backup_label'), stop?.labelfile ?? '')
  for (const name of ['pg_wal', 'pg_wal/archive_status', 'pg_replslot', 'pg_stat_tmp'])
    await mkdir(join(target, name), { recursive: true })
  await rm(join(target, 'postmaster.pid'), { force: true })
  await chmod(target, 0o700)
  await giveToServer(target)
  return {
    timeline: Number.parseInt(/START TIMELINE: (\d+)/.exec(stop?.labelfile ?? '')?.[1] ?? '', 10),
    startLsn: parseLsn(start?.lsn ?? ''),
    stopLsn: parseLsn(stop?.lsn ?? ''),
    startedAtUs: BigInt(Math.trunc(Number(start?.at) * 1e6)),
  }
}

/** Makes a folder, with all it holds, belong to whoever runs the server. */
export async function giveToServer(target: string): Promise<void> {
  if (process.geteuid?.() !== 0) return
  const { uid, gid } = await serverAccount()
  for (const name of ['.', ...(await readdir(target, { recursive: true }))]) await chown(join(target, name), uid, gid)
}
