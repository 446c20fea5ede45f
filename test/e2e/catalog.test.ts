import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadCatalog, starterText, type CatalogProblem } from '../../src/catalog/index.ts'
import { createServer, openSql, requirePostgres } from '../../src/postgres/index.ts'
import { actionParams, findDatabase } from '../../src/service/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'
import { catalogText } from '../support/marked-catalog.ts'
import { describeWith } from '../support/peers.ts'
import { describePostgres, startPostgres } from '../support/postgres.ts'

interface Validated {
  readonly valid: boolean
  readonly problems: readonly CatalogProblem[]
}

/** No database of this machine, whatever it runs. */
const nowhere = { DATABASE_URL: '', PGHOST: '', PGPORT: '', PGUSER: '', PGDATABASE: '' }

describePostgres('the database that a starter is written for', (version) => {
  test('is found by its socket, by PGHOST and by DATABASE_URL, and described without its password', async () => {
    await using postgres = await startPostgres({ version })
    const query = new URL(postgres.url).searchParams
    const [host = '', port = '', user = ''] = ['host', 'port', 'user'].map((name) => query.get(name) ?? '')
    const facts = { version, dataDirectory: postgres.dataDir, database: 'postgres' }

    const bySocket = await findDatabase({ env: { PGUSER: user }, socketFolders: ['/no/such/folder', host], ports: [] })
    expect(bySocket).toMatchObject({ ...facts, foundBy: `its socket in ${host}` })

    const byHost = await findDatabase({ env: { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: 'postgres' } })
    expect(byHost).toMatchObject({ ...facts, foundBy: 'PGHOST' })

    const secret = `${postgres.url}&password=hunter2`
    const byUrl = await findDatabase({ env: { DATABASE_URL: secret } })
    expect(byUrl).toMatchObject({ ...facts, foundBy: 'DATABASE_URL', url: { env: 'DATABASE_URL' } })
    expect(JSON.stringify(byUrl)).not.toContain('hunter2')

    await using folder = await temporaryFolder('starter')
    for (const [index, found] of [bySocket, byHost, byUrl].entries()) {
      const file = join(folder.path, `${index}.yaml`)
      await writeFile(file, starterText(found))
      const catalog = await loadCatalog(file, { actionParams })
      expect(catalog.services.postgres).toMatchObject({
        data: { postgres: { url: found?.url, dataDirectory: postgres.dataDir } },
      })
      expect(catalog.plans['postgres-recovery']?.steps.map(({ do: { kind } }) => kind)).toEqual([
        'postgres.restore',
        'postgres.start',
        'sql.check',
        'approve',
        'postgres.promote',
        'sql.check',
      ])
    }
  })
})

describeWith('postgresql-15', 'the starter as it was written', () => {
  test('protects the database that was found and brings it back', async () => {
    await using postgres = await startPostgres({ version: 15 })
    await postgres.sql('create table orders as select generate_series(1, 1000) as id')
    await using folder = await temporaryFolder('starter')
    const env = { ...nowhere, DATABASE_URL: postgres.url, HOLDFAST_PASSWORD: 'correct horse' }
    const run = (...args: string[]) => holdfast(['--json', ...args], { cwd: folder.path, env })

    expect((await run('init')).json()).toMatchObject({ kind: 'starter', found: { foundBy: 'DATABASE_URL' } })
    expect((await run('init')).json()).toMatchObject({ kind: 'repositories', repositories: [{ state: 'made' }] })
    expect(await run('backup', '--service', 'postgres')).toMatchObject({ exitCode: 0 })
    await postgres.server.kill()
    await rm(postgres.dataDir, { recursive: true })

    // Only the question is taken out: nobody is here to answer it.
    const file = join(folder.path, 'holdfast.yaml')
    const starter = await readFile(file, 'utf8')
    await writeFile(file, starter.replace(/ +- id: approve\n(?: {8}.*\n)+/, '').replace('after: [approve]', 'after: [inspect]'))
    const recovered = await run('recover', 'postgres', '--yes')
    const server = await createServer({ dataDir: `${postgres.dataDir}-recovered`, installation: requirePostgres(15) })
    try {
      expect(recovered).toMatchObject({ exitCode: 0 })
      await using connection = await openSql(server.url)
      expect(await connection.query('select count(*) from orders')).toEqual([{ count: '1000' }])
    } finally {
      await server.stop('immediate')
    }
  })
})

test('a server that is not PostgreSQL is not taken for one', async () => {
  const server = createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    expect(await findDatabase({ env: {}, socketFolders: [], ports: [port] })).toBeUndefined()
  } finally {
    server.close()
  }
})

test('holdfast init writes a starter once, then makes the repositories that it names, once', async () => {
  await using folder = await temporaryFolder('init')
  const run = (args: string[], env: NodeJS.ProcessEnv = {}) => holdfast(args, { cwd: folder.path, env: { ...nowhere, ...env } })

  expect(await run(['init'])).toMatchObject({ exitCode: 0 })
  const starter = await readFile(join(folder.path, 'holdfast.yaml'), 'utf8')
  expect(await run(['validate'])).toMatchObject({ exitCode: 0 })

  const without = await run(['--json', 'init'])
  expect(without.exitCode).toBe(1)
  expect(without.json()).toMatchObject({
    repositories: [{ name: 'backups', state: 'failed', error: { code: 'secret-unavailable' } }],
  })

  const env = { HOLDFAST_PASSWORD: 'hunter2' }
  const first = await run(['--json', 'init'], env)
  expect(first.exitCode).toBe(0)
  expect(first.json()).toMatchObject({ kind: 'repositories', repositories: [{ name: 'backups', state: 'made' }] })
  const second = await run(['--json', 'init'], env)
  expect(second.exitCode).toBe(0)
  expect(second.json()).toMatchObject({ repositories: [{ name: 'backups', state: 'already-there' }] })

  expect(await readFile(join(folder.path, 'holdfast.yaml'), 'utf8')).toBe(starter)
  expect((await readdir(folder.path)).toSorted()).toEqual(['holdfast-repository', 'holdfast.yaml'])
})

test('holdfast validate shows each problem in its place and ends with 2', async () => {
  await using folder = await temporaryFolder('validate')
  const file = join(folder.path, 'holdfast.yaml')
  await writeFile(
    file,
    catalogText({
      more: 'onCal: x',
      repository: '{ url: /n, site: there, password: hunter2 }',
      steps: '- { id: a, do: { wiat: { for: 5s } } }',
    }),
  )

  const text = await holdfast(['validate'], { cwd: folder.path })
  expect(text.exitCode).toBe(2)
  expect(text.stdout).toContain(
    "holdfast.yaml:11:5: services.db has an unknown key 'onCal'\n  10 |     objectives: { rpo: 5m, rto: 15m }\n  11 |     onCal: x\n     |     ^\n",
  )
  expect(text.stdout).toMatch(/hint: did you mean 'onCall'\?/)
  expect(text.stdout).toMatch(/3 problems in holdfast\.yaml\n$/)
  expect(text.stdout + text.stderr).not.toContain('hunter2')

  const json = await holdfast(['--json', 'validate', file])
  expect(json.exitCode).toBe(2)
  const { valid, problems } = json.json<Validated>()
  expect(valid).toBe(false)
  expect(problems.map(({ code, line, column }) => ({ code, line, column }))).toEqual([
    { code: 'plain-secret', line: 5, column: 42 },
    { code: 'unknown-key', line: 11, column: 5 },
    { code: 'unknown-action', line: 16, column: 24 },
  ])

  expect(await holdfast(['validate', join(folder.path, 'nothing.yaml')])).toMatchObject({ exitCode: 2, stdout: '' })
})
