import { readFile, rename, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { twoCopies } from '../support/two-copies.ts'

test('a recovery is on record where it can be, when one of the repositories went down with the site', async () => {
  await using orders = await twoCopies('far')
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
  await using orders = await twoCopies('far')
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
