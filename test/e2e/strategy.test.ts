import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createCatalogRepository, loadRunCatalog, recordEvidence, type ServiceCost } from '../../src/service/index.ts'
import type { Recommendation, StrategyMatrix } from '../../src/objectives/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'
import { recoveryBody } from '../support/evidence.ts'

async function shop(extra = '') {
  const folder = await temporaryFolder('strategy')
  const catalog = join(folder.path, 'holdfast.yaml')
  await writeFile(join(folder.path, 'password'), 'a password')
  await writeFile(
    catalog,
    `version: 1
name: shop
currency: EUR
sites: { hq: {} }
repositories: { nas: { url: repository, site: hq, media: disk, password: { file: ${join(folder.path, 'password')} } } }
services:
  orders: { owner: Shop, site: hq, objectives: { rpo: 15m, rto: 30m }, strategy: warm-standby, downtimeCostPerHour: 12000, outagesPerYear: 0.5 }
  wiki: { owner: Shop, site: hq, objectives: { rpo: 1d, rto: 1d } }
${extra}`,
  )
  return {
    catalog,
    run: (...args: string[]) => holdfast(['--catalog', catalog, 'strategy', ...args]),
    json: (...args: string[]) => holdfast(['--catalog', catalog, '--json', 'strategy', ...args]),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test('without a catalog the usual strategies answer: RPO 15 min with RTO 30 min takes hot standby', async () => {
  await using folder = await temporaryFolder('strategy')
  const asked = await holdfast(['--json', 'strategy', 'recommend', '--rpo', '15m', '--rto', '30m'], { cwd: folder.path })
  expect(asked.exitCode).toBe(0)
  expect(asked.json<Recommendation>().recommended).toMatchObject({ name: 'hot-standby', costPerMonth: 20_000 })
  const none = await holdfast(['strategy', 'recommend', '--rpo', '0s', '--rto', '10s'], { cwd: folder.path })
  expect(none.exitCode).toBe(4)
  expect(none.stdout).toContain('the nearest is multi-region active, which misses the RTO by 50 s')
})

test('all services are held against what was chosen for them, and a choice that does not do ends with 4', async () => {
  await using at = await shop()
  const all = await at.run('recommend', '--all')
  expect(all.exitCode).toBe(4)
  expect(all.stdout).toMatch(/orders +15 min +30 min +hot standby +20,000 +warm standby: does not meet them/)
  expect(all.stdout).toMatch(/wiki +1 d +1 d +backup and restore +500 +-/)
  expect((await at.run('recommend', 'wiki')).exitCode).toBe(0)
})

test('a catalog’s own figures replace the usual ones, and what is not available is not recommended', async () => {
  await using at = await shop(`strategies:
  warm-standby: { rto: 20m, costPerMonth: 6000 }
  hot-standby: { available: false }
  tape: { rpo: 7d, rto: 7d, costPerMonth: 10 }
`)
  const orders = (await at.json('recommend', 'orders')).json<{ services: Recommendation[] }>().services[0]
  expect(orders?.recommended).toMatchObject({ name: 'warm-standby', rpoMs: 900_000, rtoMs: 1_200_000, costPerMonth: 6000 })
  expect(orders?.rejected.map(({ strategy }) => strategy.name)).not.toContain('hot-standby')
  const matrix = (await at.json('matrix')).json<StrategyMatrix>()
  expect(matrix.rows.at(-1)?.at(-1)?.strategy?.name).toBe('tape')
})

test('a strategy without figures and a choice that does not exist are problems of the catalog, each in its place', async () => {
  await using at = await shop(
    '  other: { owner: Shop, site: hq, objectives: { rpo: 1d, rto: 1d }, strategy: lukewarm }\nstrategies: { tape: { rpo: 7d } }\n',
  )
  const { stdout, exitCode } = await holdfast(['validate', at.catalog])
  expect(exitCode).toBe(2)
  expect(stdout).toMatch(/:9:\d+: services\.other\.strategy names the strategy 'lukewarm', which does not exist/)
  expect(stdout).toMatch(/:10:\d+: strategies\.tape lacks rto, costPerMonth/)
})

test('costs are counted from what recoveries took, and what nobody stated stays unknown', async () => {
  await using at = await shop()
  const catalog = await loadRunCatalog(at.catalog)
  {
    await using repository = await createCatalogRepository(catalog, 'nas')
    for (const [index, minutes] of [30, 60, 60, 120, 30].entries()) {
      await recordEvidence(repository, 'recovery', recoveryBody(`run-${index}`, { rtaMs: minutes * 60_000 }), {
        service: 'orders',
        catalogPath: at.catalog,
      })
    }
    // Looked at nothing: no measurement of a recovery.
    await recordEvidence(repository, 'recovery', recoveryBody('blind', { rtaMs: 1, compared: { checks: 0, checksFailed: 0 } }), {
      service: 'orders',
      catalogPath: at.catalog,
    })
  }
  const asked = await at.json('cost', '--set', 'rto=30m')
  const [orders, wiki] = asked.json<{ services: ServiceCost[] }>().services
  expect(asked.exitCode).toBe(4)
  expect(wiki).toMatchObject({ service: 'wiki', lacking: ['downtimeCostPerHour', 'outagesPerYear'] })
  expect(wiki?.present).toBeUndefined()
  // 0.5 a year, one hour on average, 12,000 an hour.
  expect(orders?.present).toMatchObject({ basis: 'measured', n: 5, spreadAssumed: false, loss: { expected: 6000 } })
  expect(orders?.whatIf?.savedPerYear).toBeCloseTo(6000 - 0.5 * 0.5 * 12_000 * Math.exp(0.125), 3)
  expect(orders?.cheapestInAll).toBe('hot-standby')
  // What is asked about does not change what is said of the present.
  const dearer = await at.json('cost', 'orders', '--set', 'outages=2,downtime-cost=40000')
  expect(dearer.json<{ services: ServiceCost[] }>().services[0]).toMatchObject({
    outagesPerYear: 0.5,
    downtimeCostPerHour: 12_000,
    present: { loss: { expected: 6000 } },
    whatIf: { loss: { expected: 80_000 }, savedPerYear: -74_000 },
  })
  const text = await at.run('cost', 'orders')
  expect(text.exitCode).toBe(0)
  expect(text.stdout).toContain('6,000 EUR a year are expected to be lost')
  expect(text.stdout).toContain('measured in 5 recoveries and drills: 30 min to 2 h')
})

test('pictures are whole SVG documents, whatever services are called', async () => {
  await using at = await shop()
  expect((await at.run('matrix')).stdout).toMatch(/\[1\] RPO 15 min, RTO 5 min: orders \(hot standby\)/)
  const matrix = await at.run('matrix', '--format', 'svg')
  const cost = await at.run('cost', 'orders', '--format', 'svg')
  for (const { stdout, exitCode } of [matrix, cost]) {
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^<svg [^>]+>.*<\/svg>\n$/s)
    expect(stdout).toContain('orders')
  }
  expect((await at.run('cost', '--format', 'svg')).exitCode).toBe(2)
})
