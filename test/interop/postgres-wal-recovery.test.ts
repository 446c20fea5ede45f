import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  createFetcher,
  createServer,
  describeWindow,
  formatLsn,
  openSql,
  parseRecoveryTarget,
  preparedRecovery,
  prepareRecovery,
  recoverableWindow,
  resolveTarget,
  serverAccount,
} from '../../src/postgres/index.ts'
import { createRepository } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { copiedBackup, giveToServer } from '../support/copied-backup.ts'
import { plainArea } from '../support/area.ts'
import { describeWith } from '../support/peers.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { archiveOf, recoverCopy, startReceiving, until, untilStored, waitForStandby } from '../support/wal.ts'

const program = join(import.meta.dirname, '../../bin/holdfast.js')

describeWith('postgresql-15', 'recovery of PostgreSQL 15', () => {
  suite(15)
})
describe('recovery of PostgreSQL 18', () => {
  suite(18)
  onceSuite(18)
})

/** Writers that note what the server acknowledged, until it dies. */
function startWriting(pg: TestPostgres, connections: number) {
  const acknowledged: number[] = []
  const writers = Array.from({ length: connections }, async (_, writer) => {
    await using connection = await openSql(pg.url)
    for (let turn = 0; ; turn++) {
      const id = turn * connections + writer
      try {
        await connection.query('insert into entry(id, filler) values ($1::bigint, repeat(md5($1::bigint::text), 20))', [id])
      } catch {
        return
      }
      acknowledged.push(id)
    }
  })
  return { acknowledged, ended: Promise.all(writers) }
}

function suite(version: 15 | 18) {
  test('to the latest record: no row that a synchronous commit acknowledged is lost when the server is killed under load', async () => {
    await using pg = await startPostgres({ version })
    const area = plainArea()
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    const archive = await archiveOf(pg, area)
    await pg.sql('create table entry(id bigint primary key, filler text)')
    await waitForStandby(pg, 'holdfast_test')
    const dataDir = join(pg.folder, 'recovered')
    const position = await copiedBackup(pg, dataDir)
    const writing = startWriting(pg, 4)
    await until(() => writing.acknowledged.length > 600)
    await pg.server.kill()
    await writing.ended
    await receiver.stop()

    await using copy = await recoverCopy(pg, { dataDir, archive, position, target: { kind: 'latest' } })
    const rows = await copy.sql('select id::text from entry')
    const found = new Set(rows.map((row) => Number(row.id)))
    expect(writing.acknowledged.filter((id) => !found.has(id))).toEqual([])
    expect(copy.reached.lsn).toBe(copy.prepared.stopLsn)
    expect(await copy.sql('select pg_get_wal_replay_pause_state() as state')).toEqual([{ state: 'paused' }])

    expect(await copy.promote()).toMatchObject({ timeline: 2 })
    await copy.sql('insert into entry values (-1)')
    // It must never wait for the old primary's standby, nor archive where the old primary did.
    expect(copy.prepared.disarmed).toContainEqual({ name: 'synchronous_standby_names', was: '"holdfast_test"' })
    const overrides = await readFile(join(dataDir, 'postgresql.auto.conf'), 'utf8')
    expect(overrides).not.toMatch(/recovery_target|restore_command/)
    expect(overrides).toMatch(/archive_mode = 'off'/)
    expect(await preparedRecovery(dataDir)).toBeUndefined()
  })

  test('to a time, and to a position: everything before, nothing after', async () => {
    await using pg = await startPostgres({ version })
    const area = plainArea()
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    const archive = await archiveOf(pg, area)
    await pg.sql('create table entry(id bigint primary key)')
    const byTime = join(pg.folder, 'by-time')
    const byPosition = join(pg.folder, 'by-position')
    const positions = [await copiedBackup(pg, byTime), await copiedBackup(pg, byPosition)] as const
    await pg.sql('insert into entry select generate_series(1, 1000)')
    const [mid] = await pg.sql('select clock_timestamp()::text as time, pg_current_wal_lsn()::text as lsn')
    await pg.sql('insert into entry select generate_series(1001, 2000)')
    const [end] = await pg.sql('select pg_current_wal_lsn()::text as lsn')
    await untilStored(pg, archive)
    await pg.server.kill()
    await receiver.stop()

    for (const [dataDir, position, text] of [
      [byTime, positions[0], mid?.time],
      [byPosition, positions[1], mid?.lsn],
    ] as const) {
      await using copy = await recoverCopy(pg, { dataDir, archive, position, target: parseRecoveryTarget(text ?? '') })
      expect(await copy.sql('select count(*)::int as rows, max(id)::int as last from entry')).toEqual([
        { rows: '1000', last: '1000' },
      ])
    }
    expect(resolveTarget(await recoverableWindow(archive, positions[0]), parseRecoveryTarget(end?.lsn ?? ''))).toMatchObject({
      settings: { recovery_target_inclusive: 'on' },
    })
  })

  test('to the last record before damage in the archive, which bounds the window as a hole does', async () => {
    await using pg = await startPostgres({ version })
    const area = plainArea()
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    const archive = await archiveOf(pg, area)
    await pg.sql('create table entry(id bigint primary key)')
    const dataDir = join(pg.folder, 'recovered')
    const position = await copiedBackup(pg, dataDir)
    await pg.sql('insert into entry select generate_series(1, 1000)')
    await untilStored(pg, archive)
    const { ranges: before } = await archive.contents()
    await pg.sql('insert into entry select generate_series(1001, 2000)')
    await untilStored(pg, archive)
    await pg.server.kill()
    await receiver.stop()
    const whole = await recoverableWindow(archive, position)
    const intact = before.at(-1)?.end ?? 0n
    const stored = await Array.fromAsync(area.list())
    for (const { name, sizeBytes } of stored) {
      const range = /\/([0-9A-F]{16})-([0-9A-F]{16})$/.exec(name)
      if (!range || BigInt(`0x${range[2]}`) <= intact) continue
      await area.delete(name)
      await area.put(name, Buffer.alloc(sizeBytes, 1))
    }

    const window = await recoverableWindow(archive, position)
    expect(window.endedBy).toBe('damage')
    expect(window.end.lsn).toBeLessThan(whole.end.lsn)
    expect(describeWindow(window)).toContain('damaged')
    await using copy = await recoverCopy(pg, { dataDir, archive, position, target: { kind: 'latest' } })
    expect(await copy.sql('select count(*)::int as rows, max(id)::int as last from entry')).toEqual([
      { rows: '1000', last: '1000' },
    ])
  })

  test('a point before the backup, or behind the archive, is refused with the window; one that the archive provably covers is not', async () => {
    await using pg = await startPostgres({ version })
    const area = plainArea()
    const [before] = await pg.sql('select clock_timestamp()::text as time')
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area, markIntervalMs: 200 })
    const archive = await archiveOf(pg, area)
    await receiver.event('wal-connected')
    await pg.sql('create table entry(id bigint primary key)')
    const position = await copiedBackup(pg, join(pg.folder, 'copy'))
    await pg.sql('insert into entry values (1)')
    // Nothing is written any more: the server's word that it has nothing new is all that moves the window's end.
    const [quiet] = await pg.sql('select clock_timestamp()::text as time')
    const quietAt = parseRecoveryTarget(quiet?.time ?? '')
    if (quietAt.kind !== 'time') throw new Error('a time was asked for')
    await until(async () => ((await recoverableWindow(archive, position)).end.completeUntilUs ?? 0n) > quietAt.timeUs)
    // The last complete record ends exactly where the server's WAL does; its background writer may add one meanwhile.
    await until(async () => {
      const [server] = await pg.sql('select pg_current_wal_flush_lsn()::text as lsn')
      return formatLsn((await recoverableWindow(archive, position)).end.lsn) === server?.lsn
    })
    const window = await recoverableWindow(archive, position)
    expect(window.endedBy).toBe('archive-end')
    expect(resolveTarget(window, quietAt)).toMatchObject({ settings: { recovery_target_inclusive: 'on' } })

    for (const [text, problem] of [
      [before?.time ?? '', 'before'],
      ['0/10', 'before'],
      ['2200-01-01T00:00:00Z', 'behind'],
      ['FF/0', 'behind'],
    ] as const) {
      expect(() => resolveTarget(window, parseRecoveryTarget(text))).toThrowError(
        expect.objectContaining({
          code: 'recovery-target',
          message: expect.stringContaining(describeWindow(window)),
          details: expect.objectContaining({ problem }),
        }),
      )
    }
  })

  test('a data directory without configuration gets what the source had, so that it can be inspected', async () => {
    await using pg = await startPostgres({ version, settings: { max_connections: 137, max_prepared_transactions: 5 } })
    const area = plainArea()
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    const archive = await archiveOf(pg, area)
    const dataDir = join(pg.folder, 'recovered')
    const position = await copiedBackup(pg, dataDir, { without: ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf'] })
    await pg.sql('create table entry as select 1 as id')
    await untilStored(pg, archive)
    await pg.server.kill()
    await receiver.stop()
    await using copy = await recoverCopy(pg, { dataDir, archive, position, target: { kind: 'latest' } })
    expect(copy.prepared.wroteConfiguration).toBe(true)
    expect(await copy.sql('show max_connections')).toEqual([{ max_connections: '137' }])
    expect(await copy.sql('select id from entry')).toEqual([{ id: '1' }])
  })
}

/** What does not depend on the server's version. */
function onceSuite(version: 15 | 18) {
  test('when the process that ran the recovery is gone, WAL is fetched without it; what cannot be fetched is not taken for the end of WAL', async (context) => {
    const account = await serverAccount()
    const identity = process.geteuid?.() === 0 ? { uid: account.uid, gid: account.gid } : {}
    const reachable = await runProcess('test', ['-r', program, '-a', '-x', process.execPath], identity)
    if (reachable.exitCode !== 0) context.skip(`${account.name}, as whom PostgreSQL runs here, cannot read this checkout`)

    await using pg = await startPostgres({ version })
    const location = join(pg.folder, 'repository')
    const passwordFile = join(pg.folder, 'password')
    await writeFile(passwordFile, 'secret')
    await using repository = await createRepository(await openLocalBackend(location), 'secret')
    const area = repository.area('holdfast/wal')
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    const archive = await archiveOf(pg, area)
    const dataDir = join(pg.folder, 'recovered')
    const broken = join(pg.folder, 'broken')
    const position = await copiedBackup(pg, dataDir)
    await copiedBackup(pg, broken)
    await pg.sql('create table entry as select generate_series(1, 1000) as id')
    await untilStored(pg, archive)
    await pg.server.kill()
    await receiver.stop()
    await giveToServer(pg.folder)

    const fetcherFor = async (dataDir: string, password: string) => {
      const fetcher = await createFetcher({
        dataDir,
        archive,
        repository: { location, password: { file: password } },
        program: [process.execPath, program],
      })
      await fetcher[Symbol.asyncDispose]()
      return fetcher
    }
    {
      const fetcher = await fetcherFor(dataDir, passwordFile)
      await using copy = await recoverCopy(pg, { dataDir, archive, position, target: { kind: 'latest' }, fetcher })
      expect(await copy.sql('select count(*)::int as rows from entry')).toEqual([{ rows: '1000' }])
      expect(await copy.promote()).toMatchObject({ timeline: 2 })
    }
    const fetcher = await fetcherFor(broken, join(pg.folder, 'no-such-file'))
    const window = await recoverableWindow(archive, position)
    await prepareRecovery({ dataDir: broken, window, target: { kind: 'latest' }, fetchCommand: fetcher.command })
    const server = await createServer({ dataDir: broken, installation: pg.server.installation })
    await expect(server.start()).rejects.toMatchObject({ code: 'postgres-failed' })
    expect(await server.logTail(30)).toMatch(/could not restore file .* exit code 200|FATAL/)
  })
}
