import { createServer } from 'node:net'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { promoteServer, replicationState } from '../../src/postgres/index.ts'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { createCatalogRepository, loadRunCatalog, type DivergenceReport, type ServerReport } from '../../src/service/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { promotionProxy } from '../support/promotion-proxy.ts'
import { startPair, type ReplicatedPair } from '../support/replication.ts'

const example = new URL('../../examples/postgres-failover/holdfast.yaml', import.meta.url).pathname

interface ExampleCatalog {
  services: { orders: { data: { postgres: Record<string, unknown> } } }
  repositories: { west: Record<string, unknown> }
}

/** The example, as it is, with this pair for its servers; and a way to run the program on it. */
async function withExample(pair: ReplicatedPair, westUrl = pair.standby.url) {
  const catalog = parse(await readFile(example, 'utf8')) as ExampleCatalog
  const { postgres } = catalog.services.orders.data
  const { url } = postgres
  const { west } = postgres.standbys as { west: Record<string, unknown> }
  catalog.services.orders.data.postgres = {
    url,
    dataDirectory: pair.primary.dataDir,
    standbys: { west: { url: west.url, site: west.site, dataDirectory: pair.standby.dataDir } },
  }
  catalog.repositories.west.url = join(pair.folder, 'repository')
  const file = join(pair.folder, 'holdfast.yaml')
  await writeFile(file, stringify(catalog))
  const env = { HOLDFAST_PASSWORD: 'a password', ORDERS_URL: pair.primary.url, WEST_URL: westUrl }
  Object.assign(process.env, env)
  await (await createCatalogRepository(await loadRunCatalog(file), 'west'))[Symbol.asyncDispose]()
  return {
    file,
    run: async <T>(args: readonly string[], onStart: OnStart = () => {}) => {
      const result = await holdfast(['--catalog', file, '--json', ...args], {
        env,
        ...(onStart === undefined ? {} : { onStart }),
      })
      return { ...result, read: () => result.json<T>() }
    },
  }
}

type OnStart = NonNullable<NonNullable<Parameters<typeof holdfast>[1]>['onStart']>
type Ran = { result: PlanOutcome }
const stepOf = ({ result }: Ran, id: string) => result.steps.find((step) => step.id === id)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

describeWith('postgresql-15', 'the example postgres-failover, run as it is', () => {
  test('fails over, brings the old primary back, and switches back without losing anything', async () => {
    await using pair = await startPair({ version: 15 })
    const { run } = await withExample(pair)
    await pair.primary.sql('create table orders as select generate_series(1, 100) as id')
    await pair.caughtUp()
    const before = (await run<{ servers: ServerReport[] }>(['postgres', 'status', 'orders'])).read()
    expect(before.servers).toMatchObject([
      { name: 'primary', state: 'primary', timeline: 1, warnings: [] },
      {
        name: 'west',
        state: 'standby',
        streaming: true,
        syncState: 'async',
        lag: { known: true, basis: 'primary' },
        warnings: [],
      },
    ])

    await pair.primary.kill()
    const failover = await run<Ran>(['recover', 'orders', '--yes'])
    expect(failover.exitCode, failover.stderr).toBe(0)
    expect(stepOf(failover.read(), 'promote')).toMatchObject({ state: 'done', output: { timeline: 2, mayBeLost: 'nothing' } })

    await pair.standby.sql('insert into orders values (101)')
    const divergence = (await run<DivergenceReport>(['postgres', 'divergence', 'orders'])).read()
    expect(divergence).toMatchObject({ of: 'primary', against: 'west', commits: 0, complete: true })
    const rejoin = await run<Ran>(['recover', 'orders', '--plan', 'orders-rejoin', '--yes'])
    expect(rejoin.exitCode, rejoin.stderr).toBe(0)

    await pair.standby.sql('insert into orders values (102)')
    const back = await run<Ran>(['recover', 'orders', '--plan', 'orders-switchback', '--yes'])
    expect(back.exitCode, back.stderr).toBe(0)
    expect(stepOf(back.read(), 'promote')).toMatchObject({ output: { timeline: 3, mayBeLost: 'nothing', server: 'primary' } })
    expect(await pair.primary.sql('select count(*) as n from orders')).toEqual([{ n: '102' }])
    expect((await replicationState(pair.standby.url)).inRecovery).toBe(true)
  })

  test('the old primary committed what nobody else has: the plan to rejoin stops before it touches anything, and the command lists it', async () => {
    await using pair = await startPair({ version: 15 })
    const { run } = await withExample(pair)
    await pair.primary.sql('create table orders (id int)')
    await pair.caughtUp()
    await promoteServer(pair.standby.url)
    await pair.primary.sql('insert into orders values (1), (2)')
    const status = (await run<{ servers: ServerReport[] }>(['postgres', 'status', 'orders'])).read()
    expect(status.servers).toMatchObject([
      { name: 'primary', warnings: ['another server takes writes too: two histories', 'timeline 2 leads, and it is on 1'] },
      { name: 'west', warnings: ['another server takes writes too: two histories'] },
    ])
    const rejoin = await run<Ran>(['recover', 'orders', '--plan', 'orders-rejoin', '--yes'])
    expect(rejoin.exitCode).toBe(1)
    expect(rejoin.stdout).toContain('divergence-found')
    expect((await replicationState(pair.primary.url)).inRecovery).toBe(false)
    const { stdout } = await run(['postgres', 'divergence', 'orders'])
    expect(JSON.parse(stdout)).toMatchObject({ commits: 1, tables: [{ table: 'public.orders', inserted: 2 }] })
  })

  test('killed the moment that pg_promote was sent, the run goes on and finds the standby promoted', async () => {
    const ports = { primary: await freePort(), standby: await freePort() }
    await using pair = await startPair({ version: 15, ports })
    let kill = () => {}
    await using proxy = await promotionProxy(ports.standby, () => kill())
    const { run } = await withExample(pair, `postgresql://postgres@127.0.0.1:${proxy.port}/postgres`)
    await pair.primary.kill()
    const killed = await run(['recover', 'orders', '--yes'], (child) => (kill = () => child.kill('SIGKILL')))
    expect(killed.exitCode, killed.stderr).toBe(-1)
    kill = () => {}
    const resumed = await run<Ran>(['run', 'resume', 'latest'])
    expect(resumed.exitCode, resumed.stderr).toBe(0)
    expect(stepOf(resumed.read(), 'promote')).toMatchObject({
      state: 'done',
      by: 'probe',
      output: { timeline: 2, mayBeLost: 'nothing' },
    })
    expect((await replicationState(pair.standby.url)).inRecovery).toBe(false)
  })
})
