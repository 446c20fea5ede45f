import { chown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  createServer,
  openSql,
  requirePostgres,
  requireSoundDataDirectory,
  serverAccount,
  verifyDataDirectory,
} from '../../src/postgres/index.ts'
import { readBaseBackupRecord } from '../../src/sources/index.ts'
import { describeWith, peers } from '../support/peers.ts'
import { describePostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import {
  auditLedger,
  createLedger,
  protect,
  repositoryBeside,
  repositoryPassword,
  restoreNewest,
  service,
  soundLedger,
  whileWriting,
  withPlainPostgres,
} from '../support/protected-postgres.ts'
import { runProcess } from '../../src/kernel/index.ts'

const restic = peers.restic.find()

async function runRestic(repository: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, RESTIC_PASSWORD: repositoryPassword }
  const done = await runProcess(restic ?? 'restic', ['-r', repository, '--no-cache', '-q', ...args], { env })
  expect(done.stderr).toBe('')
  expect(done.exitCode).toBe(0)
  return done.stdout
}

/** A folder of the server's account beside its data directory: a parent it may enter. */
async function folderIn(pg: TestPostgres, name: string): Promise<string> {
  const path = join(pg.folder, name)
  await mkdir(path, { mode: 0o700 })
  const { uid, gid } = await serverAccount()
  if (process.geteuid?.() === 0) await chown(path, uid, gid)
  return path
}

async function flipBit(path: string, offset: number): Promise<void> {
  await using file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, offset)
  byte[0]! ^= 1
  await file.write(byte, 0, 1, offset)
}

describePostgres('a base backup', (version) => {
  test.runIf(restic !== undefined)(
    'taken while writing goes on is restored by restic, and plain PostgreSQL starts on it, consistent',
    async () => {
      await using pg = await startPostgres({ version })
      await pg.sql(createLedger)
      await using repository = await repositoryBeside(pg)
      const { result: summary } = await whileWriting(pg, () => protect(repository, pg.url))
      expect(summary.skipped).toEqual([])

      const target = await folderIn(pg, 'by-restic')
      await runRestic(repository.path, 'restore', 'latest', '--target', target)
      const dataDir = join(target, 'postgres', service, 'data')
      expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
      expect(await withPlainPostgres(requirePostgres(version), dataDir, auditLedger)).toEqual(soundLedger)
      await runRestic(repository.path, 'check', '--read-data')
    },
  )

  test('restored by Holdfast is what its manifest says, page by page, and starts', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql(createLedger)
    await using repository = await repositoryBeside(pg)
    await whileWriting(pg, () => protect(repository, pg.url))
    const dataDir = await restoreNewest(repository, await folderIn(pg, 'by-holdfast'))

    const record = await readBaseBackupRecord(repository, await repository.findSnapshot('latest'), service)
    expect(record).toMatchObject({ service, version, timeline: 1, dataChecksums: true, fromStandby: false, damagedPages: [] })
    const report = await verifyDataDirectory(dataDir)
    expect(report.findings).toEqual([])
    expect(report.checkedFiles).toBeGreaterThan(900)
    expect(report.checkedPages).toBeGreaterThan(1000)
    expect(report.walRanges).toEqual([{ timeline: 1, startLsn: record.startLsn, endLsn: record.stopLsn }])

    await using restored = await createServer({ dataDir, installation: requirePostgres(version), sandbox: true })
    await restored.start()
    expect(await auditLedger(restored.url)).toEqual(soundLedger)
  })

  test('holds tablespaces, wherever it is restored', async () => {
    await using pg = await startPostgres({ version })
    const location = await folderIn(pg, 'fast disk')
    await pg.sql(`create tablespace fast location '${location}'`)
    await pg.sql('create table t tablespace fast as select generate_series(1, 5000) as n')
    await using repository = await repositoryBeside(pg)
    await protect(repository, pg.url)
    const record = await readBaseBackupRecord(repository, await repository.findSnapshot('latest'), service)
    expect(record.tablespaces).toEqual([{ oid: expect.any(Number), location }])
    const dataDir = await restoreNewest(repository, await folderIn(pg, 'elsewhere'))
    await pg.server.stop()
    // Nothing may depend on the old place.
    await rm(location, { recursive: true })

    expect((await verifyDataDirectory(dataDir)).findings).toEqual([])
    const installation = requirePostgres(version)
    const count = (url: string) =>
      openSql(url).then(async (sql) => {
        await using connection = sql
        return await connection.query(
          "select (select count(*) from t) as n, pg_tablespace_location(oid) as at from pg_tablespace where spcname = 'fast'",
        )
      })
    const [plain] = await withPlainPostgres(installation, dataDir, count)
    expect(plain?.n).toBe('5000')
    // Started by Holdfast, the link is absolute: PostgreSQL finds it in its own base backups too.
    await using restored = await createServer({ dataDir, installation })
    await restored.start()
    const [row] = await count(restored.url)
    expect(row).toEqual({ n: '5000', at: join(dataDir, '../tablespaces', String(record.tablespaces[0]?.oid)) })
    await protect(repository, restored.url)
    const again = await restoreNewest(repository, await folderIn(pg, 'third'))
    expect((await withPlainPostgres(installation, again, count))[0]?.n).toBe('5000')
  })

  test('of a server that dies meanwhile is an error and no snapshot; the next one succeeds', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql(createLedger)
    await using repository = await repositoryBeside(pg)
    let killed: Promise<void> | undefined
    const cutOff = protect(repository, pg.url, { onProgress: () => void (killed ??= pg.server.kill()) })
    await expect(cutOff).rejects.toMatchObject({
      code: 'postgres-unreachable',
      retryable: true,
      message: expect.stringContaining('the base backup was cut off, and nothing of it counts'),
    })
    await killed
    expect(await repository.snapshots()).toEqual([])
    await pg.server.start()
    await protect(repository, pg.url)
    expect(await repository.snapshots()).toHaveLength(1)
  })

  test('that is cancelled ends with the reason, without a snapshot, and leaves no session or slot on the server', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql(createLedger)
    await using repository = await repositoryBeside(pg)
    const controller = new AbortController()
    const cancelled = protect(repository, pg.url, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    })
    await expect(cancelled).rejects.toThrow('enough')
    expect(await repository.snapshots()).toEqual([])
    await expect
      .poll(
        async () =>
          await pg.sql(
            'select (select count(*) from pg_stat_replication) as senders, (select count(*) from pg_replication_slots) as slots',
          ),
      )
      .toEqual([{ senders: '0', slots: '0' }])
  })

  test('of a server that does not allow it names the setting and the command, and stores nothing', async () => {
    await using pg = await startPostgres({ version, settings: { wal_level: 'minimal', max_wal_senders: 0 } })
    await using repository = await repositoryBeside(pg)
    await expect(protect(repository, pg.url)).rejects.toMatchObject({
      code: 'postgres-setting',
      message: expect.stringContaining('wal_level is minimal'),
      hint: expect.stringContaining("ALTER SYSTEM SET wal_level = 'replica'"),
      details: { setting: 'wal_level' },
    })
    expect(await repository.snapshots()).toEqual([])
    expect(await readdir(join(repository.path, 'snapshots'))).toEqual([])
  })

  test('of a server with a damaged page names the file and block, and keeps the rest', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table t as select n, md5(n::text) from generate_series(1, 20000) n')
    await pg.sql('checkpoint')
    const [row] = await pg.sql("select pg_relation_filepath('t') as path")
    await pg.server.stop()
    await flipBit(join(pg.dataDir, row?.path ?? ''), 3 * 8192 + 5000)
    await pg.server.start()

    await using repository = await repositoryBeside(pg)
    const summary = await protect(repository, pg.url)
    expect(summary.skipped).toEqual([
      { path: `/postgres/${service}/data/${row?.path}`, reason: expect.stringMatching(/^block 3 has a wrong page checksum/) },
    ])
    const dataDir = await restoreNewest(repository, await folderIn(pg, 'restored'))
    expect((await verifyDataDirectory(dataDir)).findings).toEqual([{ problem: 'page', path: row?.path, block: 3 }])
    // It is as the source was, which is all that a restore can promise, to who knows of it.
    await expect(requireSoundDataDirectory(dataDir)).rejects.toMatchObject({ code: 'object-damaged' })
    const { damagedPages: known } = await readBaseBackupRecord(repository, await repository.findSnapshot('latest'), service)
    expect((await requireSoundDataDirectory(dataDir, { known })).checkedFiles).toBeGreaterThan(900)
  })
})

describe('a base backup (PostgreSQL 18 only)', () => {
  test('of a server without data checksums is taken, and says that no page was checked', async () => {
    await using pg = await startPostgres({ version: 18, dataChecksums: false })
    await using repository = await repositoryBeside(pg)
    expect((await protect(repository, pg.url)).facts).toMatchObject({ dataChecksums: false, checkedPages: 0 })
  })
})

describeWith('postgresql-15', 'a base backup (PostgreSQL 15 only)', () => {
  test('takes configuration along that lies outside the data directory, and starts without it on the limits of the source', async () => {
    await using pg = await startPostgres({ version: 15 })
    await pg.sql('create table t as select 42 as answer')
    await pg.server.stop()
    const outside = await folderIn(pg, 'etc')
    for (const name of ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf'])
      await rename(join(pg.dataDir, name), join(outside, name))
    const installation = requirePostgres(15)
    const settings = Object.fromEntries(
      [
        ['config_file', 'postgresql.conf'] as const,
        ['hba_file', 'pg_hba.conf'] as const,
        ['ident_file', 'pg_ident.conf'] as const,
      ].map(([name, file]) => [name, join(outside, file)]),
    )
    await using server = await createServer({
      dataDir: pg.dataDir,
      installation,
      settings: { ...settings, max_connections: 217 },
    })
    await server.start()
    await using repository = await repositoryBeside(pg)
    const { facts } = await protect(repository, server.url)
    expect(facts).toMatchObject({
      superuser: 'postgres',
      configuration: ['pg_hba.conf', 'pg_ident.conf', 'postgresql.conf'].map((name) => ({ path: join(outside, name) })),
    })
    const target = await folderIn(pg, 'restored')
    const dataDir = await restoreNewest(repository, target)
    const kept = await readFile(join(target, 'postgres', service, 'config', outside, 'postgresql.conf'), 'utf8')
    expect(kept).toBe(await readFile(join(outside, 'postgresql.conf'), 'utf8'))
    await using restored = await createServer({ dataDir, installation })
    await restored.start()
    await using connection = await openSql(restored.url)
    expect(await connection.query("select answer, current_setting('max_connections') as limit from t")).toEqual([
      { answer: '42', limit: '217' },
    ])
  })
})

describe('the verification of a restored data directory', () => {
  test('finds each kind of damage, and names it', async () => {
    await using pg = await startPostgres({ version: 18 })
    await pg.sql('create table t as select n, md5(n::text) from generate_series(1, 1000) n')
    await using repository = await repositoryBeside(pg)
    await protect(repository, pg.url)
    const sound = await restoreNewest(repository, await folderIn(pg, 'sound'))
    const [row] = await pg.sql("select pg_relation_filepath('t') as path")
    const table = row?.path ?? ''
    /** Damages one file, looks, and puts it back. */
    const findingsAfter = async (path: string, damage: (file: string) => Promise<void>) => {
      const file = join(sound, path)
      const before = await readFile(file).catch(() => undefined)
      await damage(file)
      try {
        return (await verifyDataDirectory(sound)).findings
      } finally {
        await (before === undefined ? rm(file) : writeFile(file, before))
      }
    }
    const wal = (await readdir(join(sound, 'pg_wal'))).find((name) => /^[0-9A-F]{24}$/.test(name)) ?? ''

    const manifest = 'backup_manifest'
    expect(await findingsAfter(table, (file) => flipBit(file, 8192 + 4000))).toEqual([
      { problem: 'checksum', path: table },
      { problem: 'page', path: table, block: 1 },
    ])
    expect(await findingsAfter(table, rm)).toEqual([{ problem: 'missing', path: table }])
    expect(await findingsAfter(table, (file) => writeFile(file, 'short'))).toMatchObject([
      { problem: 'size', path: table, foundBytes: 5 },
    ])
    expect(await findingsAfter('base/stranger', (file) => writeFile(file, ''))).toEqual([
      { problem: 'unexpected', path: 'base/stranger' },
    ])
    expect(await findingsAfter(`pg_wal/${wal}`, rm)).toMatchObject([{ problem: 'wal', path: `pg_wal/${wal}` }])
    await expect(findingsAfter(manifest, (file) => flipBit(file, 500))).rejects.toMatchObject({ code: 'object-damaged' })
    await expect(findingsAfter(manifest, rm)).rejects.toMatchObject({ code: 'not-found' })
    expect((await verifyDataDirectory(sound)).findings).toEqual([])
  })
})
