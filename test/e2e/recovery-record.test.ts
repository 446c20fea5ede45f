import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createCatalogRepository, loadRunCatalog } from '../../src/service/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

/** Files, backed up to two repositories, and a service without data that the same plan brings back. */
async function shop() {
  const folder = await temporaryFolder('recovery-record')
  const at = (name: string) => join(folder.path, name)
  await mkdir(at('data'))
  await writeFile(at('data/orders.csv'), 'one\n'.repeat(1000))
  await writeFile(at('password'), 'a password')
  const repository = (name: string) => `{ url: ${name}, site: hq, media: disk, password: { file: ${at('password')} } }`
  await writeFile(
    at('holdfast.yaml'),
    `version: 1
name: acme
sites: { hq: {} }
repositories: { near: ${repository('near')}, far: ${repository('far')} }
services:
  orders:
    { owner: Shop, tier: 1, site: hq, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [${at('data')}] } }, backup: { to: [near, far] }, recovery: back }
  web: { owner: Shop, tier: 1, site: hq, objectives: { rpo: 1h, rto: 1h }, dependsOn: [orders], recovery: back }
plans:
  back:
    recovers: [orders, web]
    steps:
      - id: restore
        do: { files.restore: { service: orders, target: ${at('back')}, repository: far } }
        check: { shell: { run: [test, -s, ${at('back')}/orders.csv], effect: read-only } }
`,
  )
  const catalog = await loadRunCatalog(at('holdfast.yaml'))
  for (const name of ['near', 'far']) await (await createCatalogRepository(catalog, name))[Symbol.asyncDispose]()
  return {
    at,
    run: (...args: string[]) => holdfast(['--catalog', at('holdfast.yaml'), '--json', ...args]),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test('a recovery is on record where it can be, when one of the repositories went down with the site', async () => {
  await using orders = await shop()
  expect((await orders.run('backup', '--service', 'orders')).exitCode).toBe(0)
  await rename(orders.at('near'), orders.at('burnt'))
  const recovered = await orders.run('recover', 'orders', '--yes')
  expect(recovered.exitCode, recovered.stdout).toBe(0)

  const { records } = (await orders.run('ledger', 'show', '--repository', 'far')).json<{
    records: { kind: string; service: string; body: { outcome?: string } }[]
  }>()
  const recoveries = records.filter(({ kind }) => kind === 'recovery')
  // The service without data too: that it comes back was measured as well.
  const outcomes = new Map(recoveries.map(({ service, body }) => [service, body.outcome]))
  expect(outcomes).toEqual(
    new Map([
      ['orders', 'completed'],
      ['web', 'completed'],
    ]),
  )
  const status = await orders.run('status', 'web')
  expect(status.json()).toMatchObject({ services: [{ service: 'web', rto: { basis: 'measured', verdict: 'met' } }] })
})

test('a recovery that no repository took the record of is no success', async () => {
  await using orders = await shop()
  expect((await orders.run('backup', '--service', 'orders')).exitCode).toBe(0)
  await rename(orders.at('near'), orders.at('burnt'))
  const catalog = orders.at('holdfast.yaml')
  // The other one burns once everything is restored from it.
  const burn = `      - { id: burn, do: { shell: { run: [mv, ${orders.at('far')}, ${orders.at('burnt-too')}] } }, after: [restore] }\n`
  await writeFile(catalog, `${await readFile(catalog, 'utf8')}${burn}`)
  const recovered = await orders.run('recover', 'orders', '--yes')
  expect(recovered.exitCode).toBe(1)
  expect(recovered.json()).toMatchObject({ result: { status: 'succeeded', recordFailure: { code: 'no-repository' } } })
})
