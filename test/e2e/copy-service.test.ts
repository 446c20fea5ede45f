import { rename } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ordersFolder } from '../support/orders-folder.ts'

interface Copy {
  readonly copies: {
    readonly repository: string
    readonly sameChunker: boolean
    readonly copied: { readonly snapshot: string; readonly source: string }[]
    readonly alreadyThere: unknown[]
    readonly dataBlobs: number
  }[]
  readonly failures: { readonly repository: string; readonly error: { readonly code: string } }[]
}

/** A service whose snapshots go to the first of three repositories, all made to cut content alike. */
async function shop() {
  const orders = await ordersFolder(
    'copy-service',
    ({ at, repository }) => `version: 1
name: acme
sites: { hq: {} }
repositories: { near: ${repository('near')}, far: ${repository('far')}, vault: ${repository('vault')} }
services:
  orders: { owner: Shop, tier: 1, site: hq, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [${at('data')}] } }, backup: { to: [near, far, vault] } }
`,
  )
  expect(await orders.run('init', '--copy-chunker-params')).toMatchObject({ exitCode: 0 })
  expect(await orders.run('backup', '--service', 'orders', '--repository', 'near')).toMatchObject({ exitCode: 0 })
  return orders
}

test("a service's snapshots go from its first repository to its others, with what the ledger says of them", async () => {
  await using orders = await shop()
  // Not of the service, and therefore left where it is.
  await orders.run('backup', orders.at('password'), '--repository', 'near')
  const dry = (await orders.run('copy', '--service', 'orders', '--dry-run')).json<Copy>()
  expect(dry.copies.map(({ repository, copied }) => [repository, copied.length])).toEqual([
    ['far', 1],
    ['vault', 1],
  ])
  const first = (await orders.run('copy', '--service', 'orders')).json<Copy>()
  expect(first).toMatchObject({ failures: [], copies: [{ sameChunker: true, dataBlobs: 1 }, { repository: 'vault' }] })
  const again = (await orders.run('copy', '--service', 'orders')).json<Copy>()
  expect(again.copies).toMatchObject([
    { copied: [], alreadyThere: [{}], dataBlobs: 0 },
    { copied: [], alreadyThere: [{}] },
  ])
  const { copied } = first.copies[0] ?? { copied: [] }
  const shown = await orders.run('ledger', 'show', '--repository', 'far', '--kind', 'backup')
  const { records } = shown.json<{ records: object[] }>()
  expect(records).toMatchObject([
    {
      service: 'orders',
      body: {
        repository: 'far',
        snapshot: copied[0]?.snapshot,
        files: 1,
        skipped: 0,
        copiedFrom: { repository: 'near', snapshot: copied[0]?.source },
      },
    },
  ])
})

test('a repository that cannot be reached does not keep the others from getting their copy; without any, that is why it failed', async () => {
  await using orders = await shop()
  await rename(orders.at('far'), orders.at('away'))
  const partly = await orders.run('copy', '--service', 'orders')
  expect(partly.exitCode).toBe(3)
  expect(partly.json<Copy>()).toMatchObject({
    copies: [{ repository: 'vault', copied: [{}] }],
    failures: [{ repository: 'far', error: { code: 'no-repository' } }],
  })
  expect(await orders.run('copy', '--service', 'orders', '--to', 'far')).toMatchObject({ exitCode: 10 })
  expect(await orders.run('copy', '--service', 'orders', '--to', 'near')).toMatchObject({ exitCode: 2 })
  expect(await orders.run('copy', '--from', 'near', '--to', 'near')).toMatchObject({ exitCode: 2 })
  expect(await orders.run('copy', '--to', 'vault')).toMatchObject({ exitCode: 2 })
  expect((await orders.run('copy', '--from', 'near', '--to', 'vault', 'latest')).json()).toMatchObject({ alreadyThere: [{}] })
})
