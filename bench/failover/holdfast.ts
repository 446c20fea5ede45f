import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProcess } from '../../src/kernel/index.ts'
import type { RunEvent } from '../../src/durable/index.ts'
import { caughtUp, makeStandby } from '../../test/split-brain/member.ts'
import { until } from '../../test/support/until.ts'
import type { Cluster, Place } from './cluster.ts'
import { makeTable, type Contender } from './contender.ts'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
/** A look takes at most 0.9 s, and the symptoms must hold from the end of the first to the end of the ninth, 8 s later. */
const timing = { every: '1s', for: '7500ms', timeout: '900ms' }
const observers: Readonly<Record<string, Place>> = { north: 'third', south: 'clients', west: 'west' }

export const holdfast: Contender = {
  name: 'Holdfast',
  settings: `every ${timing.every}, for ${timing.for}, a look within ${timing.timeout}; 2 of 3 observers; the fence is the power switch of the primary’s machine`,
  peers: [],
  postgres: '',
  async version() {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    return `holdfast ${version}`
  },
  async begin(cluster) {
    const { primary, west, parts } = cluster
    await primary.start()
    await primary.sql(`select pg_create_physical_replication_slot('west', true)`)
    await makeStandby(west, parts)
    await west.start()
    await makeTable(cluster)
    await caughtUp(primary, west)
    const catalog = join(cluster.folder, 'holdfast.yaml')
    await writeFile(catalog, catalogText(cluster))
    const start = (place: Place, args: readonly string[]) =>
      cluster.spawn(place, [process.execPath, program, '--catalog', catalog, ...args], { OBSERVER_TOKEN: 'bench', NO_COLOR: '1' })
    start('third', ['observe', '--listen', '0.0.0.0:8710'])
    for (const [name, place] of Object.entries(observers)) start(place, ['observe', '--as', name])
    const verdict = async () => {
      const [command, ...args] = cluster.network.inside('third', [
        process.execPath,
        program,
        '--catalog',
        catalog,
        'detect',
        'orders',
        '--json',
      ])

      const { stdout } = await runProcess(command, args, { env: { ...process.env, OBSERVER_TOKEN: 'bench' } })
      return /"verdict":\s*"(\w+)"/.exec(stdout)?.[1]
    }
    await until('until all observers see it well', verdict, (is) => is === 'healthy')
    start('third', ['detect', 'orders', '--wait', '--act', '--disaster'])
    const decides = async () => await readdir(join(cluster.folder, '.holdfast', 'deciders', 'failover')).catch(() => [])
    await until('until it decides', decides, (files) => files.length > 0)
  },
  async phases({ folder }, failedMs) {
    const runs = join(folder, '.holdfast', 'runs')
    const [run] = await readdir(runs)
    const text = await readFile(join(runs, run ?? '', 'journal.ndjson'), 'utf8')
    const events = text
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { body: RunEvent }).body)
    const atMs = (type: RunEvent['type'], step?: string) => {
      const found = events.find(
        (event) => event.type === type && (step === undefined || ('step' in event && event.step === step)),
      )
      return Date.parse(found?.at ?? '')
    }
    const [submitted, fence, fenced] = [atMs('submitted'), atMs('step-started', 'fence'), atMs('step-committed', 'fence')]
    const promoted = atMs('step-committed', 'promote')
    return {
      'detect and decide': submitted - failedMs,
      preflight: fence - submitted,
      fence: fenced - fence,
      promote: promoted - fenced,
    }
  },
}

function catalogText({ network, primary, west }: Cluster): string {
  const namespace = network.namespace('primary')
  const url = (of: 'primary' | 'west', database: string) => `postgres://postgres@${network.address(of)}:5432/${database}`
  const isOff = `test -z "$(ip netns pids ${namespace})"`
  const off = `for pid in $(ip netns pids ${namespace}); do kill -9 $pid; done; until ${isOff}; do sleep 0.05; done`
  const report = `report: { http: 'http://${network.address('third')}:8710', token: { env: OBSERVER_TOKEN } }`
  return `version: 1
name: bench
sites: { east: {}, west: {}, north: {}, south: {} }
observers:
${Object.keys(observers)
  .map((name) => `  ${name}: { site: ${name}, ${report} }`)
  .join('\n')}
services:
  orders:
    owner: Bench
    site: east
    objectives: { rpo: 1m, rto: 1m }
    data:
      postgres:
        url: '${url('primary', 'postgres')}'
        host: primary.example
        dataDirectory: ${primary.dataDir}
        standbys:
          west: { url: '${url('west', 'shop')}', site: west, host: west.example, dataDirectory: ${west.dataDir} }
    recovery: failover
plans:
  failover:
    recovers: [orders]
    detection:
      symptoms: [the primary does not answer]
      probes: [{ sql: select 1, url: '${url('primary', 'postgres')}', timeout: ${timing.timeout} }]
      observers: [${Object.keys(observers).join(', ')}]
      quorum: 2 of 3
      every: ${timing.every}
      for: ${timing.for}
      decide: auto
    steps:
      - id: fence
        do: { postgres.fence: { server: primary } }
        disaster: { do: { shell: { run: '${off}', probe: '${isOff}' } } }
        timeout: 30s
      - id: promote
        after: [fence]
        do: { postgres.promote: { server: west, fencedBy: fence, acceptUnknownLag: true } }
        timeout: 60s
      - id: verify
        after: [promote]
        do: { sql.check: { url: '${url('west', 'shop')}', sql: 'select pg_is_in_recovery()', equals: false } }
`
}
