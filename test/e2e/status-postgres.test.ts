import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  createCatalogRepository,
  loadRunCatalog,
  runReception,
  type ServiceReport,
  type StatusReport,
} from '../../src/service/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

/** A catalog of one database whose WAL is received, and its repository, in the folder of the server. */
async function declare(pg: TestPostgres) {
  const file = join(pg.folder, 'holdfast.yaml')
  await writeFile(join(pg.folder, 'password'), 'a password')
  await writeFile(
    file,
    `version: 1
name: acme
sites: { hq: {} }
repositories: { nas: { url: repository, site: hq, media: disk, password: { file: ${join(pg.folder, 'password')} } } }
services:
  orders:
    { owner: Shop, site: hq, objectives: { rpo: 1h, rto: 1h }, data: { postgres: { url: '${pg.url}', wal: stream } }, backup: { to: nas } }
`,
  )
  await (await createCatalogRepository(await loadRunCatalog(file), 'nas'))[Symbol.asyncDispose]()
  const run = (...args: string[]) => holdfast(['--catalog', file, '--json', ...args])
  return {
    file,
    run,
    wal: join(pg.folder, 'repository', 'holdfast', 'wal'),
    async status() {
      const result = await run('status')
      return result.json<StatusReport>().services[0] as ServiceReport
    },
  }
}

/** Receives WAL while `work` runs, until all that the server has written by then is stored. */
async function whileReceiving(catalog: string, pg: TestPostgres, work: () => Promise<unknown>): Promise<void> {
  const stop = new AbortController()
  const { promise: complete, resolve } = Promise.withResolvers<void>()
  let wanted = Infinity
  const ended = runReception(
    { catalog, service: 'orders' },
    (event) => {
      if (event.type === 'wal-progress' && position(event.durableLsn) >= wanted) resolve()
    },
    stop.signal,
  )
  try {
    await Promise.race([work(), ended])
    const [row] = await pg.sql('select pg_current_wal_flush_lsn() as lsn')
    wanted = position(String(row?.lsn))
    await pg.sql('create table last_of_all ()')
    await Promise.race([complete, ended])
  } finally {
    stop.abort()
    await ended
  }
}

function position(lsn: string): number {
  const [high = '', low = ''] = lsn.split('/')
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)
}

test('the status of a database reaches as far as its archived WAL does without a hole', async () => {
  await using pg = await startPostgres({ version: 18, settings: { wal_level: 'replica' } })
  const shop = await declare(pg)
  expect((await shop.run('backup', '--service', 'orders')).exitCode).toBe(0)
  const afterBackup = new Date()
  expect(await shop.status()).toMatchObject({ rpo: { verdict: 'at-risk', about: { byWal: false } }, findings: [] })

  await whileReceiving(shop.file, pg, async () => {
    for (let segment = 1; segment <= 4; segment++) {
      await pg.sql(`create table t${segment} as select generate_series(1, 1000)`)
      await pg.sql('select pg_switch_wal()')
    }
  })
  const archived = await shop.status()
  expect(archived).toMatchObject({ rpo: { basis: 'estimated', because: 'never-restored', about: { byWal: true } }, findings: [] })
  const reached = new Date(String(archived.recoverableTo)).getTime()
  expect(reached).toBeGreaterThan(afterBackup.getTime())

  const stored = (await readdir(shop.wal, { recursive: true }))
    .filter((name) => /[0-9A-F]{8}\/.*[0-9A-F]{8}/.test(name))
    .toSorted()
  await rm(join(shop.wal, stored.at(-2) ?? ''), { recursive: true })
  const broken = await shop.status()
  expect(broken.findings).toMatchObject([{ code: 'wal-gap', repository: 'nas' }])
  expect(new Date(String(broken.recoverableTo)).getTime()).toBeLessThan(reached)

  const shown = await shop.run('ledger', 'show', '--kind', 'wal')
  expect(shown.json<{ records: { body: { event: string } }[] }>().records.map(({ body }) => body.event)).toEqual([
    'stopped',
    'started',
  ])
})
