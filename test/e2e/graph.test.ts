import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  createCatalogRepository,
  loadRunCatalog,
  recordEvidence,
  type ServiceGraph,
  type StatusReport,
} from '../../src/service/index.ts'
import { recoveryBody } from '../support/evidence.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

/** web → api → db, and api → a payment provider that others run. */
async function shop() {
  const folder = await temporaryFolder('graph')
  const catalog = join(folder.path, 'holdfast.yaml')
  await writeFile(join(folder.path, 'password'), 'a password')
  await writeFile(
    catalog,
    `version: 1
name: shop
sites: { hq: {} }
repositories: { nas: { url: repository, site: hq, password: { file: ${join(folder.path, 'password')} } } }
groups: { shop: { members: [db, api] } }
external:
  payments: { assumed: { rto: 40m }, contact: 'https://status.example' }
services:
  db: { owner: Shop, site: hq, objectives: { rpo: 1h, rto: 30m } }
  api: { owner: Shop, site: hq, objectives: { rpo: 1h, rto: 1h }, dependsOn: [db, payments], recovery: api }
  web: { owner: '<b>&"', site: hq, objectives: { rpo: 1h, rto: 2h }, dependsOn: [api] }
  wiki: { owner: Shop, site: hq, objectives: { rpo: 1d, rto: 1d } }
plans:
  api: { recovers: [api], steps: [{ id: look, do: { shell: { run: 'true', effect: read-only } } }] }
`,
  )
  return {
    catalog,
    run: (...args: string[]) => holdfast(['--catalog', catalog, ...args]),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test('the graph is in the order in which services come back, with the longest path by declared RTOs', async () => {
  await using at = await shop()
  const graph = (await at.run('--json', 'graph')).json<ServiceGraph>()
  const order = graph.members.map(({ name }) => name)
  expect(order).toHaveLength(5)
  for (const { name, dependsOn } of graph.members) {
    for (const before of dependsOn) expect(order.indexOf(before)).toBeLessThan(order.indexOf(name))
  }
  expect(graph).toMatchObject({
    criticalPath: ['payments', 'api', 'web'],
    criticalMs: 220 * 60_000,
    groups: [{ name: 'shop', members: ['db', 'api'] }],
  })
  const around = (await at.run('--json', 'graph', 'db')).json<ServiceGraph>()
  expect(around.members.map(({ name }) => name).toSorted()).toEqual(['api', 'db', 'payments', 'web'])
})

test('it is drawn in the terminal, as a picture, and for Graphviz and Mermaid', async () => {
  await using at = await shop()
  const text = (await at.run('graph')).stdout
  expect(text).toContain('3 h 40 min along payments (assumed) → api → web')
  expect(text).toMatch(/api +RPO 1 h, RTO 1 h \(1 h 40 min with all it needs\), hq/)
  expect(text).toContain('group shop: db, api come back to one point')
  expect(text).toMatch(/payments +external, assumed RTO 40 min/)
  const svg = (await at.run('graph', '--format', 'svg')).stdout
  expect(svg).toMatch(/^<svg .*<\/svg>\n$/s)
  for (const name of ['db', 'api', 'web', 'wiki', 'payments']) expect(svg).toContain(`>${name}</text>`)
  expect((await at.run('graph', '--format', 'dot')).stdout).toMatch(/^digraph "shop" \{[\s\S]*s\d -> s\d[\s\S]*\}\n$/)
  expect((await at.run('graph', '--format', 'mermaid')).stdout).toMatch(/^flowchart LR\n[\s\S]* --> /)
  expect((await at.run('graph', 'nobody')).exitCode).toBe(2)
})

test('a service is down for as long as what it depends on: status follows the chain, and what nobody knows stays unknown', async () => {
  await using at = await shop()
  const chainOf = async (name: string) =>
    (await at.run('--json', 'status')).json<StatusReport>().services.find(({ service }) => service === name)?.withDependencies
  {
    await using repository = await createCatalogRepository(await loadRunCatalog(at.catalog), 'nas')
    const measured = (service: string, minutes: number) =>
      recordEvidence(repository, 'recovery', recoveryBody(`${service}-${minutes}`, { rtaMs: minutes * 60_000 }), {
        service,
        catalogPath: at.catalog,
      })
    await measured('api', 10)
    expect(await chainOf('wiki')).toBeUndefined()
    expect(await chainOf('api')).toMatchObject({ verdict: 'unknown', because: 'not-known-of-all', unknown: ['db'] })
    await measured('db', 25)
    // The provider is only assumed to be back in 40 min: never better than at risk.
    expect(await chainOf('api')).toMatchObject({
      totalMs: 50 * 60_000,
      verdict: 'at-risk',
      path: ['payments', 'api'],
      assumed: ['payments'],
    })
    await measured('db', 55)
    expect(await chainOf('api')).toMatchObject({ totalMs: 65 * 60_000, verdict: 'missed', path: ['db', 'api'] })
    expect(await chainOf('web')).toMatchObject({ verdict: 'unknown', unknown: ['web'] })
  }
  const { stdout, exitCode } = await at.run('status', 'api')
  expect(exitCode).toBe(4)
  expect(stdout).toContain('api: RTO is missed with all that it depends on: 1 h 5 min along db → api')
})

test('a runbook says whom to ask about what others run, and a name cannot be a service and something external', async () => {
  await using at = await shop()
  const { stdout } = await at.run('runbook', 'api')
  expect(stdout).toMatch(/`payments`, which others run, is up \(assumed to be down for 40 min at most\)/)
  expect(stdout).toContain('https://status.example')
  await writeFile(
    at.catalog,
    'version: 1\nname: x\nsites: { hq: {} }\nexternal: { a: {} }\nservices: { a: { owner: x, site: hq, objectives: { rpo: 1h, rto: 1h } } }\n',
  )
  const invalid = await at.run('validate')
  expect(invalid.exitCode).toBe(2)
  expect(invalid.stdout).toContain("4:13: 'a' is a service and something external")
})
