import { readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { runChaosProxy } from '../../src/service/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'
import { startKubelet } from '../support/kubelet.ts'
import { startKubernetes } from '../support/kubernetes.ts'
import { describeWith } from '../support/peers.ts'
import { startPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'

interface Experiment {
  hypothesis: { before: string; after: string }
  faults: { for: string; inject: Record<string, Record<string, unknown>> }[]
}
interface Example {
  clusters: Record<string, unknown>
  experiments: Record<string, Experiment>
}
interface Ran {
  runs: { verdict: string; because: string[]; recoveryMs?: number }[]
}

/** The example as it is committed, with its long waits made short, and `change` for what is elsewhere here. */
async function exampleIn(folder: string, change: (example: Example) => void = () => {}) {
  const example = parse(await readFile(new URL('../../examples/chaos/holdfast.yaml', import.meta.url), 'utf8')) as Example
  for (const { hypothesis, faults } of Object.values(example.experiments)) {
    Object.assign(hypothesis, { before: '2s', after: '2s' })
    for (const fault of faults) fault.for = '4s'
  }
  change(example)
  await writeFile(join(folder, 'holdfast.yaml'), stringify(example))
}

async function runExample(folder: string, name: string, env: NodeJS.ProcessEnv) {
  const result = await holdfast(['--json', 'chaos', 'run', name], { cwd: folder, env })
  return { ...result, run: result.stdout === '' ? undefined : result.json<Ran>().runs[0] }
}

test('the example with a pool that has ten connections left: whoever needs one gets it, and all are free again after', async () => {
  await using pg = await startPostgres({ version: 15, settings: { max_connections: 100 } })
  await using folder = await temporaryFolder('chaos-example')
  await exampleIn(folder.path)
  const running = runExample(folder.path, 'pool-exhaustion', { ORDERS_DB_URL: pg.url })
  const held = async () =>
    Number((await pg.sql("select count(*) as held from pg_stat_activity where application_name like 'holdfast-%'"))[0]?.held)
  await until('90 connections are held', held, (count) => count === 90)
  const { exitCode, run, stderr } = await running
  expect({ exitCode, run, stderr }).toMatchObject({ exitCode: 0, run: { verdict: 'pass' } })
  expect(await held()).toBe(0)
})

test('the example with a slow line to the database: 200 ms more each way, and it stays usable', async () => {
  await using pg = await startPostgres({ version: 15, listen: 'loopback' })
  await using folder = await temporaryFolder('chaos-example')
  const { hostname, port } = new URL(pg.url)
  const stop = new AbortController()
  const ready = Promise.withResolvers<{ api: string; listen: string }>()
  const routes = [{ name: 'orders-db', listen: '127.0.0.1:0', upstream: `${hostname}:${port}` }]
  const proxying = runChaosProxy(
    { api: { host: '127.0.0.1', port: 0 }, routes },
    ({ api, proxies }) => ready.resolve({ api, listen: proxies[0]?.listen ?? '' }),
    stop.signal,
  )
  try {
    const { api, listen } = await ready.promise
    await exampleIn(folder.path, ({ experiments }) => {
      const toxic = experiments['slow-database']?.faults[0]?.inject['tcp.toxic']
      Object.assign(toxic ?? {}, { api })
    })
    const proxied = Object.assign(new URL(pg.url), { host: listen }).href
    const { exitCode, run, stderr } = await runExample(folder.path, 'slow-database', {
      ORDERS_DB_URL: pg.url,
      ORDERS_DB_PROXIED_URL: proxied,
    })
    expect({ exitCode, run, stderr }).toMatchObject({ exitCode: 0, run: { verdict: 'pass' } })
  } finally {
    stop.abort()
    await proxying
  }
})

describeWith('kubernetes', 'on a real cluster', (program) => {
  test('the example with a random pod: another is ready in its place within 30 seconds', async () => {
    await using kubernetes = await startKubernetes(program)
    await using _kubelet = await startKubelet(kubernetes)
    await using folder = await temporaryFolder('chaos-example')
    await kubernetes.kubectl('create', 'namespace', 'shop')
    await kubernetes.kubectl('create', 'deployment', 'web', '--namespace=shop', '--image=none', '--replicas=4')
    const ready = async () =>
      Number(
        (await kubernetes.kubectl('get', 'deployment/web', '--namespace=shop', '--output=jsonpath={.status.readyReplicas}')) ||
          '0',
      )
    await until('four pods are ready', ready, (count) => count === 4)
    const kubeconfig = await kubernetes.kubeconfig('admin')
    await exampleIn(folder.path, (example) => {
      example.clusters = { shop: { kubeconfig: { file: kubeconfig }, site: 'cluster' } }
    })
    const { exitCode, run, stderr } = await runExample(folder.path, 'random-pod', {
      PATH: `${kubernetes.bin}${delimiter}${process.env.PATH}`,
      KUBECONFIG: kubeconfig,
    })
    expect({ exitCode, run, stderr }).toMatchObject({ exitCode: 0, run: { verdict: 'pass' } })
    expect(run?.recoveryMs).toBeLessThan(30_000)
    expect(await ready()).toBe(4)
  })
})
