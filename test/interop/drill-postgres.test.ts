import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { startProduction, type Production } from '../support/drills.ts'
import { type HoldfastResult } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'

let production: Production

function outcomeIn(result: HoldfastResult): PlanOutcome {
  expect(result.stdout, result.stderr).not.toBe('')
  return result.json<{ result: PlanOutcome }>().result
}

describeWith('postgresql-15', 'a drill of a real PostgreSQL and its files', () => {
  beforeAll(async () => {
    production = await startProduction()
  })
  afterAll(async () => {
    await production[Symbol.asyncDispose]()
  })

  test('restores, starts, checks and promotes in a sandbox, leaves production and nothing else behind, and is on record', async () => {
    const site = await production.site('sandbox')
    const before = await production.look()
    const drilled = await site.run('--json', 'drill', 'run', 'orders', '--scenario', 'disk lost', '--participant', 'ann')
    const outcome = outcomeIn(drilled)
    expect(outcome).toMatchObject({ status: 'succeeded', pointOfNoReturn: 'promote' })
    expect(outcome.drill).toMatchObject({ mode: 'sandbox', cleanUp: { clean: true }, findings: [] })
    expect(drilled.exitCode, drilled.stderr).toBe(0)
    expect(await production.look()).toEqual(before)
    expect(await site.left()).toEqual({ sandboxes: [], servers: [] })
    expect((await readdir(site.folder)).toSorted()).toEqual(['.holdfast', 'holdfast.yaml'])

    const { records } = (await site.run('--json', 'ledger', 'show', '--kind', 'recovery', '--service', 'orders')).json<{
      records: { body: object }[]
    }>()
    expect(records[0]?.body).toMatchObject({
      mode: 'drill-sandbox',
      verdict: 'met',
      restored: [
        { service: 'orders', source: 'postgres' },
        { service: 'receipts', source: 'files' },
      ],
      drill: { scenario: 'disk lost', participants: ['ann'], cleanedUp: true },
    })
    const status = (await site.run('--json', 'status', 'orders')).json<{ services: { rto: object }[] }>()
    expect(status.services[0]?.rto).toMatchObject({ basis: 'measured', verdict: 'met' })
  })
})
