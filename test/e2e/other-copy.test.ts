import { readdir, readFile, rename, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { twoCopies } from '../support/two-copies.ts'

interface DryRun {
  readonly blocked: boolean
  readonly planHash: string
  readonly findings: readonly { readonly severity: string; readonly code: string; readonly hint?: string }[]
  readonly steps: readonly { readonly manual: readonly string[] }[]
}

test('where the first repository is gone, the preflight names the other copy, and the recovery from it is the same plan', async () => {
  await using orders = await twoCopies(undefined)
  expect((await orders.run('backup', '--service', 'orders')).exitCode).toBe(0)
  await rename(orders.at('near'), orders.at('burnt'))

  const first = await orders.run('recover', 'orders', '--dry-run')
  const blocked = first.json<DryRun>()
  expect({ exitCode: first.exitCode, blocked: blocked.blocked }).toEqual({ exitCode: 1, blocked: true })
  expect(blocked.findings).toMatchObject([
    { severity: 'blocker', code: 'no-repository', hint: expect.stringContaining('--repository far') as string },
  ])
  const other = (await orders.run('recover', 'orders', '--dry-run', '--repository', 'far')).json<DryRun>()
  expect(other).toMatchObject({ blocked: false, repository: 'far', planHash: blocked.planHash })
  expect(other.steps.flatMap(({ manual }) => manual).join('\n')).toMatch(/restic -r far /)

  const recovered = await orders.run('recover', 'orders', '--repository', 'far', '--disaster', '--yes')
  expect(recovered.exitCode, recovered.stdout).toBe(0)
  expect(await readFile(orders.at('back/orders.csv'), 'utf8')).toBe('one\n'.repeat(1000))
  const { records } = (await orders.run('ledger', 'show', '--repository', 'far', '--kind', 'recovery')).json<{
    records: { body: { form?: string; restoreFrom?: string; planHash: string } }[]
  }>()
  const restored = [{ service: 'orders', source: 'files', repository: 'far' }]
  expect(records.map(({ body }) => body)).toMatchObject([
    { form: 'disaster', restoreFrom: 'far', planHash: blocked.planHash, restored },
    { form: 'disaster', restoreFrom: 'far', restored },
  ])
  // It was checked: so what it restored was read, which nobody else has done.
  const { services } = (await orders.run('status', 'orders')).json<{
    services: { copies: { copies: { repository: string; readAt?: string; problem?: string }[] } }[]
  }>()
  const far = services[0]?.copies.copies.find(({ repository }) => repository === 'far')
  expect(far).toEqual(expect.objectContaining({ readAt: expect.any(String) as string }))
  expect(far).not.toHaveProperty('problem')
})

test('where a backup in the first repository is damaged, what fails names the other copy; a drill shows that it can be restored', async () => {
  await using orders = await twoCopies(undefined)
  expect((await orders.run('backup', '--service', 'orders')).exitCode).toBe(0)
  const packs = (await readdir(orders.at('near/data'), { recursive: true })).filter((name) => name.length > 10)
  for (const pack of packs) await truncate(join(orders.at('near/data'), pack), 50)

  const failed = await orders.run('recover', 'orders', '--yes')
  expect(failed.exitCode).toBe(1)
  const { result } = failed.json<{ result: { status: string; failure: { error: { hint: string } } } }>()
  expect(result.failure.error.hint).toContain('--repository far')

  const drill = await orders.run('drill', 'run', 'orders', '--repository', 'far')
  expect(drill.json(), drill.stderr).toMatchObject({ result: { status: 'succeeded' } })
  const recovered = await orders.run('recover', 'orders', '--repository', 'far', '--yes')
  expect(recovered.exitCode, recovered.stdout).toBe(0)
  expect(await readFile(orders.at('back/orders.csv'), 'utf8')).toBe('one\n'.repeat(1000))
})

test('a repository that is named goes before the one that a step names, and one that nothing is backed up to is refused', async () => {
  await using orders = await twoCopies('far')
  expect((await orders.run('backup', '--service', 'orders')).exitCode).toBe(0)
  await rm(orders.at('far'), { recursive: true })
  expect((await orders.run('recover', 'orders', '--yes')).exitCode).toBe(1)
  expect((await orders.run('recover', 'orders', '--yes', '--repository', 'near')).exitCode).toBe(0)
  for (const wrong of ['nothing', 'spare']) {
    const refused = await orders.run('recover', 'orders', '--dry-run', '--repository', wrong)
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain(wrong)
  }
})
