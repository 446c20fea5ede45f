import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createServer, findRunningServer, inspectServer, requirePostgres } from '../../src/postgres/index.ts'
import { accountFolder } from '../support/account-folder.ts'
import { describePostgres, startPostgres } from '../support/postgres.ts'

async function waitFor<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await delay(20)
  }
}

const other = { 15: 18, 18: 15 } as const

describePostgres('a PostgreSQL of ours', (version) => {
  test('starts on a private socket only, answers, stops and leaves nothing behind', async () => {
    const pg = await startPostgres({ version })
    const running = await pg.server.running()
    expect(running).toMatchObject({ dataDir: pg.dataDir, status: 'ready' })
    expect(running?.listenAddress).toBeUndefined()
    const { mode } = await stat(running?.socketDir ?? '')
    expect(mode & 0o777).toBe(0o700)
    expect(await inspectServer(pg.url)).toMatchObject({ version, inRecovery: false, timeline: 1, dataDirectory: pg.dataDir })
    await pg.server.stop()
    expect(await pg.server.running()).toBeUndefined()
    await pg[Symbol.asyncDispose]()
    await expect(stat(running?.socketDir ?? '')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(stat(pg.folder)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('is found by a later process through its data directory, with the same pid and start', async () => {
    await using pg = await startPostgres({ version })
    const running = await pg.server.running()
    const later = await createServer({ dataDir: pg.dataDir, installation: requirePostgres(version) })
    expect(later.url).toBe(pg.url)
    expect(await later.start()).toEqual(running)
    await later.stop('fast')
    expect(await pg.server.running()).toBeUndefined()
  })

  test('goes on when the process that started it detached ends, and ends with one that did not, even by SIGKILL', async () => {
    const folder = await accountFolder('holdfast-test-pg-')
    const installation = requirePostgres(version)
    const script = (dataDir: string, detached: boolean) => `
      import { createServer, requirePostgres } from '${join(import.meta.dirname, '../../src/postgres/index.ts')}'
      const server = await createServer({ dataDir: '${dataDir}', installation: requirePostgres(${version}) })
      await server.initialize({ durable: false })
      await server.start({ detached: ${detached} })
      process.kill(process.pid, 'SIGKILL')`
    const runningAfter = async (detached: boolean) => {
      const dataDir = join(folder, `detached-${detached}`)
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script(dataDir, detached)], {
        stdio: 'inherit',
      })
      expect((await once(child, 'exit'))[1]).toBe('SIGKILL')
      const server = await createServer({ dataDir, installation })
      const found = await findRunningServer(dataDir)
      // The server may need a moment to be gone.
      const goes = detached ? found?.status : await waitFor(async () => ((await findRunningServer(dataDir)) ? undefined : 'gone'))
      await server.stop('immediate')
      return goes
    }
    expect(await runningAfter(true)).toBe('ready')
    expect(await runningAfter(false)).toBe('gone')
    await rm(folder, { recursive: true })
  })

  test('puts its socket into a folder that others share, and leaves that folder and what is in it alone', async () => {
    await using pg = await startPostgres({ version })
    await pg.server.stop()
    const shared = join(pg.folder, 'shared')
    await mkdir(shared)
    await chmod(shared, 0o1777)
    await writeFile(join(shared, 'somebody-else'), 'theirs')
    const before = await stat(join(shared, 'somebody-else'))
    const server = await createServer({ dataDir: pg.dataDir, installation: requirePostgres(version), socketDir: shared })
    await server.start()
    expect(await inspectServer(server.url)).toMatchObject({ version })
    expect(server.url).toContain(encodeURIComponent(shared))
    await server.stop('immediate')
    expect((await stat(shared)).mode & 0o7777).toBe(0o1777)
    expect(await stat(join(shared, 'somebody-else'))).toMatchObject({ uid: before.uid, gid: before.gid, mode: before.mode })
  })

  test('killed like by a power cut, it starts again with everything that was committed', async () => {
    await using pg = await startPostgres({ version })
    await pg.sql('create table t as select generate_series(1, 1000) as n')
    await pg.server.kill()
    // What a crash leaves: a postmaster.pid whose process is gone.
    expect((await stat(join(pg.dataDir, 'postmaster.pid'))).isFile()).toBe(true)
    expect(await pg.server.running()).toBeUndefined()
    await pg.server.start()
    expect(await pg.sql('select count(*) from t')).toEqual([{ count: '1000' }])
  })

  test('a left-over postmaster.pid with the number of another living process is not taken for a server', async () => {
    await using pg = await startPostgres({ version })
    await pg.server.stop()
    await writeFile(join(pg.dataDir, 'postmaster.pid'), `${process.pid}\n${pg.dataDir}\n1\n5432\n/tmp\n\n1\nready\n`)
    expect(await pg.server.running()).toBeUndefined()
    await rm(join(pg.dataDir, 'postmaster.pid'))
  })

  test('a configuration that it refuses is the error, not a time-out', async () => {
    await using pg = await startPostgres({ version })
    await pg.server.stop()
    await appendFile(join(pg.dataDir, 'postgresql.conf'), "shared_buffers = 'plenty'\n")
    await expect(pg.server.start()).rejects.toMatchObject({
      code: 'postgres-failed',
      message: expect.stringMatching(/ended while starting.*shared_buffers|configuration file/),
    })
  })

  test('on TCP it asks for the password that it was made with', async () => {
    await using pg = await startPostgres({ version, listen: 'loopback', password: 'right' })
    const running = await pg.server.running()
    expect(running?.listenAddress).toBe('127.0.0.1')
    const url = (password: string) => `postgresql://postgres:${password}@127.0.0.1:${running?.port}/postgres`
    expect(await inspectServer(url('right'))).toMatchObject({ version })
    await expect(inspectServer(url('wrong'))).rejects.toMatchObject({ code: 'permission-denied' })
  })

  test('a data directory of another major version is refused with both versions', async () => {
    await using pg = await startPostgres({ version })
    await pg.server.stop()
    await writeFile(join(pg.dataDir, 'PG_VERSION'), `${other[version]}\n`)
    await expect(pg.server.start()).rejects.toThrow(
      new RegExp(`was made by PostgreSQL ${other[version]}.* is version ${version}`),
    )
  })

  test('a folder that is not empty is never initialised', async () => {
    await using pg = await startPostgres({ version })
    await expect(pg.server.initialize()).rejects.toMatchObject({ code: 'target-not-empty' })
    expect(await pg.sql('select 1 as one')).toEqual([{ one: '1' }])
  })
})
