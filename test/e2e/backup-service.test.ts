import { readdir, rename } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createCatalogRepository, loadRunCatalog } from '../../src/service/index.ts'
import { ordersFolder } from '../support/orders-folder.ts'

interface Backup {
  readonly copies: { readonly repository: string; readonly source: string; readonly summary: { readonly snapshot?: string } }[]
  readonly failures: { readonly repository: string; readonly source: string; readonly error: { readonly code: string } }[]
}

/** A service of files that goes to two repositories, which are made; `data` is more that it holds. */
async function shop(data = '') {
  const orders = await ordersFolder(
    'backup-service',
    ({ at, repository }) => `version: 1
name: acme
sites: { hq: {} }
repositories: { near: ${repository('near')}, far: ${repository('far')} }
services:
  orders: { owner: Shop, tier: 1, site: hq, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [${at('data')}] }${data} }, backup: { to: [near, far] } }
`,
  )
  const catalog = await loadRunCatalog(orders.at('holdfast.yaml'))
  for (const name of ['near', 'far']) await (await createCatalogRepository(catalog, name))[Symbol.asyncDispose]()
  return {
    ...orders,
    async backUp(...args: string[]) {
      const result = await orders.run('backup', '--service', 'orders', ...args)
      return { exitCode: result.exitCode, stderr: result.stderr, ...(result.stdout === '' ? {} : result.json<Backup>()) }
    },
  }
}

test('a repository that cannot be reached does not keep the others from getting their copy, and the exit code says so', async () => {
  await using orders = await shop()
  await rename(orders.at('near'), orders.at('away'))
  expect(await orders.backUp()).toMatchObject({
    exitCode: 3,
    copies: [{ repository: 'far', source: 'files', summary: { snapshot: expect.any(String) as string } }],
    failures: [{ repository: 'near', source: 'files', error: { code: 'no-repository' } }],
  })
  await rename(orders.at('far'), orders.at('away-too'))
  expect((await orders.backUp()).exitCode).toBe(10)
})

test('a service of a database and files has both backed up; one that fails does not keep the other from it', async () => {
  // Port 9 answers nobody.
  await using orders = await shop(', postgres: { url: "postgresql://127.0.0.1:9/orders", wal: none }')
  const { exitCode, copies = [], failures = [] } = await orders.backUp()
  expect(exitCode).toBe(3)
  expect(copies.map(({ repository, source }) => [repository, source])).toEqual([
    ['near', 'files'],
    ['far', 'files'],
  ])
  expect(failures.map(({ repository, source, error }) => [repository, source, error.code])).toEqual([
    ['near', 'postgres', 'postgres-unreachable'],
    ['far', 'postgres', 'postgres-unreachable'],
  ])
})

test('a dry run of a service stores nothing, and --repository leaves the others out', async () => {
  await using orders = await shop()
  const dry = await orders.backUp('--dry-run')
  expect(dry).toMatchObject({ exitCode: 0, copies: [{ repository: 'near' }, { repository: 'far' }] })
  expect(dry.copies?.[0]?.summary.snapshot).toBeUndefined()
  for (const name of ['near', 'far']) expect(await readdir(orders.at(`${name}/snapshots`))).toEqual([])

  expect(await orders.backUp('--repository', 'far')).toMatchObject({ exitCode: 0, copies: [{ repository: 'far' }] })
  expect(await readdir(orders.at('near/snapshots'))).toEqual([])
  expect((await orders.backUp('--repository', 'nowhere')).exitCode).toBe(2)
})

test.for([['--exclude', '*.csv'], ['--host', 'other'], ['/tmp']])('%s beside --service is refused, not ignored', async (args) => {
  await using orders = await shop()
  const refused = await orders.backUp(...args)
  expect(refused.exitCode).toBe(2)
  expect(refused.stderr).toContain('--service, not both')
  expect(await readdir(orders.at('near/snapshots'))).toEqual([])
})
