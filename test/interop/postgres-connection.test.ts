import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProcess } from '../../src/kernel/index.ts'
import {
  checkReplicationReadiness,
  formatLsn,
  inspectServer,
  openReplication,
  openSql,
  parseLsn,
  serverAccount,
} from '../../src/postgres/index.ts'
import { describeWith } from '../support/peers.ts'
import { describePostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const as = (pg: TestPostgres, user: string) => pg.url.replace('user=postgres', `user=${user}`)

describePostgres('a server that cannot be protected says what to change', (version) => {
  test('wal_level, max_wal_senders and max_replication_slots are all named, with values and commands', async () => {
    await using pg = await startPostgres({
      version,
      settings: { wal_level: 'minimal', max_wal_senders: 0, max_replication_slots: 0 },
    })
    expect(await checkReplicationReadiness(pg.url)).toMatchObject([
      {
        setting: 'wal_level',
        current: 'minimal',
        change: ["ALTER SYSTEM SET wal_level = 'replica'", 'restart the server'],
        restart: true,
      },
      { setting: 'max_wal_senders', current: '0', restart: true },
      { setting: 'max_replication_slots', current: '0', restart: true },
    ])
    // The commands are right: after them there is nothing left to say.
    for (const { change } of await checkReplicationReadiness(pg.url)) await pg.sql(change[0] ?? '')
    await pg.server.stop()
    await pg.server.start()
    expect(await checkReplicationReadiness(pg.url)).toEqual([])
  })

  test('a role without REPLICATION is named, and the command it gives helps', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create role "Ann B" login')
    const [finding, ...others] = await checkReplicationReadiness(as(pg, 'Ann%20B'))
    expect(others).toEqual([])
    expect(finding).toMatchObject({ setting: 'REPLICATION', change: ['ALTER ROLE "Ann B" REPLICATION'], restart: false })
    await expect(openReplication(as(pg, 'Ann%20B'))).rejects.toMatchObject({
      code: 'postgres-setting',
      details: { setting: 'REPLICATION' },
    })
    await pg.sql(finding?.change[0] ?? '')
    expect(await checkReplicationReadiness(as(pg, 'Ann%20B'))).toEqual([])
  })

  test('a pg_hba.conf that rejects replication is named with the line to add, and the line helps', async () => {
    await using pg = await startPostgres({ version })
    const file = join(pg.dataDir, 'pg_hba.conf')
    await writeFile(file, 'local all all trust\n')
    await pg.sql('select pg_reload_conf()')
    const [finding] = await checkReplicationReadiness(pg.url)
    expect(finding).toMatchObject({ setting: 'pg_hba.conf', restart: false })
    expect(finding?.change[0]).toContain(`add to ${file}`)
    const line = finding?.change[0]?.split(': ').at(-1)?.replace('scram-sha-256', 'trust')
    await writeFile(file, `${await readFile(file, 'utf8')}${line}\n`)
    await pg.sql('select pg_reload_conf()')
    expect(await checkReplicationReadiness(pg.url)).toEqual([])
  })
})

describePostgres('connections', (version) => {
  test('WAL is streamed, ended by us, and the connection is free again', async () => {
    await using pg = await startPostgres({ version })
    await using replication = await openReplication(pg.url)
    const [identity] = await replication.query('IDENTIFY_SYSTEM')
    expect(identity?.systemid).toBe((await inspectServer(pg.url)).systemIdentifier)
    const segment = parseLsn(identity?.xlogpos ?? '') & ~0xff_ffffn
    const copy = await replication.startCopy(`START_REPLICATION PHYSICAL ${formatLsn(segment)} TIMELINE ${identity?.timeline}`)
    expect(copy.direction).toBe('both')
    let next = segment
    for await (const message of copy.messages) {
      expect(String.fromCharCode(message[0] ?? 0)).toBe('w')
      expect(message.readBigUInt64BE(1)).toBe(next)
      next += BigInt(message.length - 25)
      if (next >= parseLsn(identity?.xlogpos ?? '')) break
    }
    expect(await copy.endCopy()).toEqual([])
    expect(await replication.query('SHOW server_version_num')).toEqual([
      { server_version_num: String(replication.serverVersion) },
    ])
  })

  test('an error of a command leaves the connection usable, and keeps its SQLSTATE', async () => {
    await using pg = await startPostgres({ version })
    await using replication = await openReplication(pg.url)
    await expect(replication.startCopy('START_REPLICATION SLOT "none" PHYSICAL 0/0')).rejects.toMatchObject({
      code: 'postgres-failed',
      details: { sqlState: '42704' },
    })
    expect(await replication.query('IDENTIFY_SYSTEM')).toHaveLength(1)
  })

  test('a server that dies ends a waiting reader with a retryable error; an abort ends it with its reason', async () => {
    await using pg = await startPostgres({ version })
    const controller = new AbortController()
    const [aborted, broken] = [await openReplication(pg.url, controller.signal), await openReplication(pg.url)]
    const reading = async (connection: typeof aborted) => {
      const copy = await connection.startCopy('START_REPLICATION PHYSICAL 0/1000000')
      for await (const message of copy.messages) void message
    }
    const ends = Promise.allSettled([reading(aborted), reading(broken)])
    controller.abort(new Error('enough'))
    await pg.server.kill()
    expect(await ends).toMatchObject([
      { status: 'rejected', reason: { message: 'enough' } },
      { status: 'rejected', reason: { code: 'postgres-unreachable', retryable: true } },
    ])
  })

  test('nobody listening, a missing database and a name that is no host each end in their own clear error', async () => {
    const listener = createTcpServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const address = listener.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await new Promise((done) => listener.close(done))
    await expect(inspectServer(`postgresql://ann:s3cret@127.0.0.1:${port}/postgres`)).rejects.toMatchObject({
      code: 'postgres-unreachable',
      message: expect.not.stringContaining('s3cret'),
    })
    await using pg = await startPostgres({ version })
    await expect(inspectServer(pg.url.replace('/postgres?', '/none?'))).rejects.toMatchObject({ details: { sqlState: '3D000' } })
    await expect(inspectServer('postgresql://ann:s3%cret@host')).rejects.toMatchObject({
      message: expect.not.stringContaining('s3'),
    })
  })
})

test('what is no connection URL is refused without repeating it, and not looked up as a host', async () => {
  const refused = await openSql('host=db.example user=ann password=s3cret').catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'usage', retryable: false })
  expect(JSON.stringify(refused)).not.toContain('s3cret')
})

describeWith('postgresql-15', 'a password (PostgreSQL 15)', () => {
  test('that is asked for and not given is said at once, not tried again', async () => {
    await using pg = await startPostgres({ version: 15, listen: 'loopback', password: 'right' })
    const port = (await pg.server.running())?.port
    await expect(openSql(`postgresql://postgres@127.0.0.1:${port}/postgres`)).rejects.toMatchObject({
      code: 'permission-denied',
      retryable: false,
    })
  })
})

describeWith('postgresql-15', 'TLS (PostgreSQL 15)', () => {
  test('a replication connection over TLS streams whole messages; sslmode means what it means to psql', async () => {
    await using pg = await startPostgres({ version: 15, listen: 'loopback', password: 'right' })
    const { uid, gid } = await serverAccount()
    const identity = process.geteuid?.() === 0 ? { uid, gid } : {}
    const [key, certificate] = [join(pg.dataDir, 'server.key'), join(pg.dataDir, 'server.crt')]
    const made = await runProcess(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=db.example',
        '-keyout',
        key,
        '-out',
        certificate,
      ],
      identity,
    )
    expect(made.exitCode).toBe(0)
    await pg.sql('alter system set ssl = on')
    await pg.sql('select pg_reload_conf()')
    const running = await pg.server.running()
    const url = (mode: string) => `postgresql://postgres:right@127.0.0.1:${running?.port}/postgres?sslmode=${mode}`
    await expect.poll(async () => await inspectServer(url('require'))).toMatchObject({ version: 15 })
    await expect(inspectServer(url('verify-full'))).rejects.toMatchObject({ code: 'postgres-unreachable' })
    await using replication = await openReplication(url('require'))
    const copy = await replication.startCopy("BASE_BACKUP (CHECKPOINT 'fast')")
    let bytes = 0
    for await (const message of copy.messages) bytes += message.length
    expect(bytes).toBeGreaterThan(20_000_000)
    expect(await copy.endCopy()).toHaveLength(1)
    const [row] = await pg.sql('select count(*) as plain from pg_stat_ssl where not ssl and pid <> pg_backend_pid()')
    expect(row).toEqual({ plain: '0' })
  })
})
