import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { actions } from '../../src/actions/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { serverAccount } from '../../src/postgres/index.ts'
import { buildRunbook } from '../../src/recovery/index.ts'
import { createCatalogRepository, loadRunCatalog } from '../../src/service/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { receiveWhile } from '../support/receive-while.ts'

const root = new URL('../..', import.meta.url).pathname

/** A database whose base backup and WAL are in a repository, and a plan that brings it back. */
async function protectedShop(pg: TestPostgres, account: string) {
  const at = (name: string) => join(pg.folder, name)
  await writeFile(at('password'), 'a password')
  await writeFile(
    at('holdfast.yaml'),
    `version: 1
name: acme
sites: { hq: {}, away: {} }
repositories: { nas: { url: repository, site: away, media: disk, password: { file: password } } }
services:
  orders:
    owner: Shop
    site: hq
    objectives: { rpo: 1h, rto: 1h }
    data: { postgres: { url: '${pg.url}', wal: stream, runAs: ${account} } }
    backup: { to: nas }
    recovery: back
plans:
  back:
    recovers: [orders]
    steps:
      - { id: restore, do: { postgres.restore: { service: orders, target: ${at('back')} } } }
      - { id: start, do: { postgres.start: { dataDirectory: '\${steps.restore.dataDirectory}' } }, after: [restore] }
      - { id: promote, do: { postgres.promote: { dataDirectory: '\${steps.restore.dataDirectory}' } }, after: [start] }
`,
  )
  const catalog = await loadRunCatalog(at('holdfast.yaml'))
  await (await createCatalogRepository(catalog, 'nas'))[Symbol.asyncDispose]()
  await pg.sql('create table orders as select 1 as id')
  expect((await holdfast(['--catalog', catalog.file, 'backup', '--service', 'orders'])).exitCode).toBe(0)
  await receiveWhile(catalog.file, pg, 'insert into orders select generate_series(2, 1000)')
  return { at, catalog, runbook: buildRunbook(catalog, { service: 'orders' }, actions, 'test') }
}

describeWith('restic', 'a runbook followed by hand', () => {
  describeWith('postgresql-15', 'with restic, PostgreSQL 15 and a shell', (binDirectory) => {
    test('brings back what was in the base backup and in the WAL behind it, and takes writes once promoted', async () => {
      await using pg = await startPostgres({ version: 15, settings: { wal_level: 'replica' } })
      const account = await serverAccount()
      const { at, runbook } = await protectedShop(pg, account.name)
      await pg.server.stop('immediate')
      const programs = at('programs')
      await mkdir(programs)
      await writeFile(join(programs, 'holdfast'), `#!/bin/sh\nexec '${process.execPath}' '${root}bin/holdfast.js' "$@"\n`)
      await chmod(join(programs, 'holdfast'), 0o755)
      const env = {
        ...process.env,
        PATH: `${programs}:${binDirectory}:${process.env.PATH}`,
        PGHOST: at('socket'),
        PGUSER: 'postgres',
      }
      const sh = async (lines: readonly string[], as = 'root') => {
        const line = lines.join('\n').replaceAll(' SNAPSHOT ', ' latest --path /postgres/orders ')
        const asRoot = as === 'root' || process.geteuid?.() !== 0
        const argv: [string, string[]] = asRoot ? ['sh', ['-ec', line]] : ['runuser', ['-u', as, '--', 'sh', '-ec', line]]
        const { exitCode, stdout, stderr } = await runProcess(...argv, { cwd: pg.folder, env })
        expect(exitCode, `${line}\n${stderr}\n${await readFile(at('socket/log'), 'utf8').catch(() => '')}`).toBe(0)
        return stdout
      }
      await mkdir(at('socket'))
      await chown(at('socket'), account.uid, account.gid)
      const [copy] = runbook.copies
      const [restore, start, promote] = runbook.steps
      await sh([...(copy?.open ?? []), ...(restore?.commands ?? [])])

      // As the runbook says: the account of the server must be able to read the repository and the password.
      await sh([`chown -R ${account.name}: repository password`])
      // Where this machine's servers listen is not the runbook's to know.
      await sh([
        `printf '%s\\n' "unix_socket_directories = '${at('socket')}'" "listen_addresses = ''" >> back/postgresql.auto.conf`,
      ])
      const [startLine = '', ...look] = start?.commands ?? []
      await sh([startLine.replace(' start ', ` -l ${at('socket')}/log start `)], account.name)
      try {
        await sh(look)
        await sh([`for look in $(seq 600); do [ "$(psql -Atc 'select count(*) from orders')" = 1000 ] && break; sleep 0.1; done`])
        await sh(promote?.commands ?? [])
        expect(await sh([`psql -Atqc 'insert into orders values (1001); select count(*) from orders'`])).toBe('1001\n')
      } finally {
        await sh([...(runbook.rollback.find(({ step }) => step === 'start')?.commands ?? [])], account.name)
      }
    })
  })
})
