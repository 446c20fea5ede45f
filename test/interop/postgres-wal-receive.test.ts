import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { HoldfastError, sha256Hex } from '../../src/kernel/index.ts'
import {
  createServer,
  findGaps,
  openSql,
  openWalArchive,
  parseLsn,
  recoverableWindow,
  superviseReceiver,
  walFileName,
} from '../../src/postgres/index.ts'
import { createRepository } from '../../src/repository/index.ts'
import { openLocalBackend, type SealedArea } from '../../src/storage/index.ts'
import { plainArea } from '../support/area.ts'
import { copiedBackup, giveToServer } from '../support/copied-backup.ts'
import { describeWith } from '../support/peers.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { archiveOf, recoverCopy, startReceiving, until, untilStored, waitForStandby } from '../support/wal.ts'

const program = join(import.meta.dirname, '../../bin/holdfast.js')

describeWith('postgresql-15', 'receiving from PostgreSQL 15', () => {
  suite(15)
})
describe('receiving from PostgreSQL 18', () => {
  suite(18)
  onceSuite(18)
})

/** Writes about 16 MiB of WAL. */
async function fillSegment(pg: TestPostgres): Promise<void> {
  await pg.sql('insert into filler select repeat(md5(g::text), 60) from generate_series(1, 8000) g')
}

async function currentLsn(pg: TestPostgres): Promise<bigint> {
  const [row] = await pg.sql('select pg_current_wal_flush_lsn()::text as lsn')
  return parseLsn(row?.lsn ?? '')
}

function suite(version: 15 | 18) {
  test('a finished segment is one object, and the archive has no hole, byte for byte what the server has', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table filler(text text)')
    const area = plainArea()
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    await receiver.event('wal-connected')
    const archive = await archiveOf(pg, area)
    for (let count = 0; count < 400; count++) await pg.sql('insert into filler values ($1)', [count])
    await fillSegment(pg)
    await fillSegment(pg)
    await untilStored(pg, archive)
    await receiver.stop()
    const lsn = await currentLsn(pg)
    const { ranges } = await archive.contents()
    expect(findGaps(ranges)).toEqual([])
    const segment = 16n * 1024n * 1024n
    const whole = ranges.filter((range) => range.end <= lsn - (lsn % segment))
    expect(whole.length).toBeGreaterThan(1)
    expect(whole.every((range) => range.end - range.start === segment)).toBe(true)
    const number = (whole[0]?.start ?? 0n) / segment
    const [file] = await pg.sql('select encode(sha256(pg_read_binary_file($1)), $2) as hash', [
      `pg_wal/${walFileName(1, number + 1n, Number(segment))}`,
      'hex',
    ])
    const stored = await archive.readSegment(1, number + 1n)
    expect(sha256Hex(stored?.bytes ?? '')).toBe(file?.hash)
  })

  test('as a synchronous standby it lets no commit through whose WAL is not durable', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table entry(id int)')
    const plain = plainArea()
    let failing = false
    const refused: string[] = []
    const area: SealedArea = {
      ...plain,
      async put(name, bytes, options) {
        if (failing) {
          refused.push(name)
          throw new HoldfastError('storage-failed', { message: 'the disk is on fire', retryable: true })
        }
        await plain.put(name, bytes, options)
      },
    }
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area, maxBackoffMs: 100 })
    await receiver.event('wal-connected')
    await waitForStandby(pg, 'holdfast_test')
    await pg.sql('insert into entry values (1)')

    failing = true
    let committed = false
    const commit = pg.sql('insert into entry values (2)').then(() => (committed = true))
    await until(() => refused.length > 2)
    const [waiting] = await pg.sql("select count(*)::int as commits from pg_stat_activity where wait_event = 'SyncRep'")
    expect(waiting?.commits).toBe('1')
    expect(committed).toBe(false)
    expect(receiver.events).toContainEqual(expect.objectContaining({ type: 'wal-disconnected', message: 'the disk is on fire' }))

    failing = false
    await commit
    const archive = await archiveOf(pg, area)
    expect(findGaps((await archive.contents()).ranges)).toEqual([])
  })

  test('it follows a standby through its promotion, and recovery follows the new timeline', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table entry(id int)')
    const dataDir = join(pg.folder, 'standby')
    await pg.sql("select pg_create_physical_replication_slot('standby', true)")
    const restored = join(pg.folder, 'restored')
    await copiedBackup(pg, dataDir)
    const position = await copiedBackup(pg, restored)
    await writeFile(join(dataDir, 'standby.signal'), '')
    const standby = await createServer({
      dataDir,
      installation: pg.server.installation,
      settings: { primary_conninfo: connectionString(pg.url), primary_slot_name: 'standby' },
    })
    await standby.start()
    await using cleanUp = new AsyncDisposableStack()
    cleanUp.defer(async () => await standby.stop('immediate'))
    const area = plainArea()
    await using receiver = startReceiving({ url: standby.url, slot: 'holdfast_test', area })
    await receiver.event('wal-connected')
    await pg.sql('insert into entry values (1)')
    const archive = await archiveOf(pg, area)
    await untilStored(pg, archive)

    await using connection = await openSql(standby.url)
    await connection.query('select pg_promote()')
    const change = await receiver.event('wal-timeline')
    expect(change).toMatchObject({ from: 1, to: 2 })
    await connection.query('insert into entry values (2)')
    const [end] = await connection.query('select pg_current_wal_flush_lsn()::text as lsn')
    const after = parseLsn(end?.lsn ?? '')
    await until(async () => (await archive.contents()).ranges.some((range) => range.timeline === 2 && range.end >= after))
    await receiver.stop()

    await using copy = await recoverCopy(pg, { dataDir: restored, archive, position, target: { kind: 'latest' } })
    expect(copy.prepared.timeline).toBe(2)
    expect(await copy.sql('select id from entry order by id')).toEqual([{ id: '1' }, { id: '2' }])
  })

  test('after a failover it says what the archive has of the old primary beyond the fork, and recovery leaves that out', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table entry(id int)')
    const area = plainArea()
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    await receiver.event('wal-connected')
    const archive = await archiveOf(pg, area)
    const early = join(pg.folder, 'early')
    const again = join(pg.folder, 'again')
    const position = await copiedBackup(pg, early)
    await copiedBackup(pg, again)
    await pg.sql('insert into entry values (1)')
    const fork = await currentLsn(pg)
    await pg.sql('insert into entry values (666)')
    await untilStored(pg, archive)
    await pg.server.kill()
    await receiver.stop()

    await using promoted = await recoverCopy(pg, { dataDir: early, archive, position, target: { kind: 'lsn', lsn: fork } })
    expect(await promoted.promote()).toMatchObject({ timeline: 2 })
    await using following = startReceiving({ url: promoted.server.url, slot: 'holdfast_test', area })
    expect(await following.event('wal-diverged')).toMatchObject({ timeline: 1 })
    await promoted.sql('insert into entry values (2)')
    const [end] = await promoted.sql('select pg_current_wal_flush_lsn()::text as lsn')
    const after = parseLsn(end?.lsn ?? '')
    await until(async () => (await archive.contents()).ranges.some((range) => range.timeline === 2 && range.end >= after))
    await following.stop()

    await using copy = await recoverCopy(pg, { dataDir: again, archive, position, target: { kind: 'latest' } })
    expect(await copy.sql('select id from entry order by id')).toEqual([{ id: '1' }, { id: '2' }])
  })

  test('a slot that the server gave up ends it, saying what to do; a new slot behind removed WAL leaves a gap that bounds recovery', async () => {
    await using pg = await startPostgres({
      version,
      settings: { min_wal_size: '32MB', max_wal_size: '32MB' },
    })
    await pg.sql('create table filler(text text)')
    const area = plainArea()
    const archive = await archiveOf(pg, area)
    const first = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    await first.event('wal-connected')
    const position = await copiedBackup(pg, join(pg.folder, 'copy'))
    await untilStored(pg, archive)
    await first.stop()
    await pg.sql("alter system set max_slot_wal_keep_size = '1MB'")
    await pg.sql('select pg_reload_conf()')
    for (let count = 0; count < 4; count++) await fillSegment(pg)
    await pg.sql('checkpoint')
    await pg.sql('checkpoint')

    await using second = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    await expect(second.ended).rejects.toMatchObject({
      code: 'slot-lost',
      hint: expect.stringContaining("select pg_drop_replication_slot('holdfast_test')"),
    })

    await pg.sql("select pg_drop_replication_slot('holdfast_test')")
    await using third = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    const gap = await third.event('wal-gap')
    await untilStored(pg, archive)
    await third.stop()
    const window = await recoverableWindow(archive, position)
    expect(window.endedBy).toBe('gap')
    expect(window.gap).toMatchObject({ from: parseLsn(gap.from), to: parseLsn(gap.to) })
    expect(window.end.lsn <= parseLsn(gap.from)).toBe(true)
  })
}

/** What does not depend on the server's version. */
function onceSuite(version: 15 | 18) {
  test('a put that hangs makes it let the server go; it goes on where it was when the put is done', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table filler(text text)')
    const plain = plainArea()
    const hanging = Promise.withResolvers<void>()
    let hang = false
    const area: SealedArea = {
      ...plain,
      async put(name, bytes, options) {
        if (hang) await hanging.promise
        await plain.put(name, bytes, options)
      },
    }
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area, stallMs: 300 })
    await until(async () => (await pg.sql('select 1 from pg_stat_replication')).length === 1)
    hang = true
    await pg.sql("insert into filler values ('x')")
    await until(async () => (await pg.sql('select 1 from pg_stat_replication')).length === 0)
    hang = false
    hanging.resolve()
    await fillSegment(pg)
    const archive = await archiveOf(pg, area)
    await untilStored(pg, archive)
    expect(findGaps((await archive.contents()).ranges)).toEqual([])
    await receiver.stop()
  })

  test('what was damaged in the segment that the server is writing is received again', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table filler(text text)')
    const plain = plainArea()
    const area: SealedArea = {
      ...plain,
      async get(name, signal) {
        const bytes = await plain.get(name, signal)
        // As a sealed area answers when an object does not authenticate.
        if (bytes.length === 0) throw new HoldfastError('object-damaged', { message: `${name} is damaged` })
        return bytes
      },
    }
    const archive = await archiveOf(pg, area)
    {
      await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
      await receiver.event('wal-connected')
      for (let count = 0; count < 20; count++) await pg.sql('insert into filler values ($1)', [count])
      await untilStored(pg, archive)
      await receiver.stop()
    }
    const { ranges } = await archive.contents()
    const segment = 16n * 1024n * 1024n
    const current = ranges.filter((range) => range.start / segment === (ranges.at(-1)?.start ?? 0n) / segment)
    expect(current.length).toBeGreaterThan(2)
    const names = (await Array.fromAsync(plain.list('')))
      .map(({ name }) => name)
      .filter((name) => /-/.test(name))
      .sort()
    for (const name of [names.at(-2), names.at(-1)]) {
      await plain.delete(name ?? '')
      await plain.put(name ?? '', new Uint8Array())
    }

    await using again = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    expect(await again.event('wal-damaged')).toMatchObject({ timeline: 1 })
    await pg.sql("insert into filler values ('after')")
    await untilStored(pg, archive)
    await again.stop()
    const repaired = await archive.contents()
    expect(findGaps(repaired.ranges)).toEqual([])
    for (const range of repaired.ranges)
      await expect(archive.get(range)).resolves.toMatchObject({ segmentBytes: Number(segment) })
  })

  test('another server with the same identity and timeline, but other WAL, is refused', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table entry(id int)')
    const twinDir = join(pg.folder, 'twin')
    await pg.server.stop('fast')
    await cp(pg.dataDir, twinDir, { recursive: true })
    await giveToServer(twinDir)
    await pg.server.start()
    const area = plainArea()
    const archive = await archiveOf(pg, area)
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area })
    await receiver.event('wal-connected')
    await pg.sql('insert into entry values (1)')
    await untilStored(pg, archive)
    await receiver.stop()
    await pg.server.stop('fast')

    const twin = await createServer({ dataDir: twinDir, installation: pg.server.installation })
    await twin.start()
    await using cleanUp = new AsyncDisposableStack()
    cleanUp.defer(async () => await twin.stop('immediate'))
    await using connection = await openSql(twin.url)
    await connection.query('insert into entry select generate_series(1, 1000)')
    await using wrong = startReceiving({ url: twin.url, slot: 'holdfast_test', area })
    await expect(wrong.ended).rejects.toMatchObject({ code: 'identity-mismatch' })
  })

  test('killed again and again while the server writes, the command leaves no hole; frozen, it is killed and started anew', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table filler(text text)')
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-wal-'))
    await using cleanUp = new AsyncDisposableStack()
    cleanUp.defer(async () => await rm(folder, { recursive: true, force: true }))
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, 'secret')
    const location = join(folder, 'repository')
    await using repository = await createRepository(await openLocalBackend(location), 'secret')
    const archive = openWalArchive(
      repository.area('holdfast/wal'),
      (await pg.sql('select system_identifier::text as id from pg_control_system()'))[0]?.id ?? '',
    )
    const args = [
      '--repo',
      location,
      '--password-file',
      passwordFile,
      'postgres',
      'receive-wal',
      '--url',
      pg.url,
      '--slot',
      'holdfast_test',
    ]
    const writing = new AbortController()
    const writer = (async () => {
      while (!writing.signal.aborted) {
        await pg.sql('insert into filler select repeat(md5(g::text), 60) from generate_series(1, 200) g')
        await sleep(20)
      }
    })()
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' })
      const ended = new Promise((resolve) => {
        child.once('exit', resolve)
      })
      await until(async () => (await pg.sql('select 1 from pg_stat_replication')).length === 1)
      const from = (await archive.contents()).ranges.length
      await until(async () => (await archive.contents()).ranges.length > from + 2)
      child.kill('SIGKILL')
      await ended
      await until(async () => (await pg.sql('select 1 from pg_stat_replication')).length === 0)
    }
    const stop = new AbortController()
    const restarts: string[] = []
    const supervised = superviseReceiver(
      { command: [process.execPath, program, ...args], stallMs: 1500, onRestart: (reason) => restarts.push(reason) },
      stop.signal,
    )
    const receiverPid = await connectedPid(pg)
    process.kill(receiverPid, 'SIGSTOP')
    await until(() => restarts.length === 1)
    await until(async () => (await pg.sql('select 1 from pg_stat_replication')).length === 1)
    writing.abort()
    await writer
    await untilStored(pg, archive)
    stop.abort()
    expect(await supervised).toBe(0)
    expect(restarts).toEqual(['it had stalled for 1500 ms'])
    expect(findGaps((await archive.contents()).ranges)).toEqual([])

    async function connectedPid(pg: TestPostgres): Promise<number> {
      await until(async () => (await pg.sql('select 1 from pg_stat_replication')).length === 1)
      return await receiverOf(process.pid)
    }
  })
}

/** The process of ours that runs receive-wal, by its parent. */
async function receiverOf(parent: number): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (Number(/\) \S (\d+)/.exec(status)?.[1]) === parent && command.includes('receive-wal')) return Number(pid)
  }
  throw new Error('no receiver runs')
}

/** A URL of ours as libpq's keywords. */
function connectionString(url: string): string {
  const parameters = new URL(url).searchParams
  return ['host', 'port', 'user'].map((name) => `${name}=${parameters.get(name)}`).join(' ')
}
