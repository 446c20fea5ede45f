import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProcess } from '../../src/kernel/index.ts'
import { ownFolder, requirePostgres } from '../../src/postgres/index.ts'
import { asAccount } from '../../test/split-brain/member.ts'
import { until } from '../../test/support/until.ts'
import type { Cluster } from './cluster.ts'
import { firstLine, makeTable, type Contender } from './contender.ts'

/** Its leader key dies 10 s after it was last renewed, and it is renewed every 2 s. */
const timing = { ttl: 10, loop_wait: 2, retry_timeout: 4 }

export const patroni: Contender = {
  name: 'Patroni',
  settings: `ttl ${timing.ttl}, loop_wait ${timing.loop_wait}, retry_timeout ${timing.retry_timeout}; etcd on the third machine`,
  peers: [
    { debianPackage: 'patroni', program: '/usr/bin/patroni' },
    { debianPackage: 'python3-etcd', program: '/usr/lib/python3/dist-packages/etcd' },
    { debianPackage: 'etcd-server', program: '/usr/bin/etcd' },
  ],
  postgres: '',
  async version() {
    const [own, store] = await Promise.all([
      runProcess('/usr/bin/patroni', ['--version']),
      runProcess('/usr/bin/etcd', ['--version']),
    ])
    return `${firstLine(own.stdout)}, ${firstLine(store.stdout).replace(' Version:', '')}`
  },
  async begin(cluster) {
    const { network, primary, west } = cluster
    const store = join(cluster.folder, 'etcd')
    const client = `http://${network.address('third')}:2379`
    const peer = 'http://127.0.0.1:2380'
    const settings = {
      'data-dir': store,
      logger: 'zap',
      'log-outputs': join(cluster.folder, 'etcd.log'),
      'listen-client-urls': 'http://0.0.0.0:2379',
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `default=${peer}`,
    }
    cluster.spawn('third', ['/usr/bin/etcd', ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])])
    await startAgent(cluster, 'primary')
    await until(
      'until Patroni leads',
      async () => await roleOf(cluster, 'primary'),
      (role) => role === 'master',
    )
    const isSet = (told: Answer) => Object.entries(timing).every(([name, value]) => told[name] === value)
    await until('until Patroni is set so', async () => await askAgent(cluster, 'primary', 'PATCH', '/config', timing), isSet)
    await makeTable(cluster)
    await writeFile(join(west.dataDir, 'standby.signal'), '')
    await ownFolder(west.dataDir, cluster.account)
    await startAgent(cluster, 'west')
    const streaming = async () => (await primary.sql('select count(*) as count from pg_stat_replication'))[0]?.count
    await until('until west streams', streaming, (count) => count === '1')
    await until(
      'until Patroni knows west',
      async () => await roleOf(cluster, 'west'),
      (role) => role === 'replica',
    )
  },
}

async function startAgent(cluster: Cluster, name: 'primary' | 'west'): Promise<void> {
  const { folder, network, account } = cluster
  const member = cluster[name]
  const address = network.address(name)
  const file = join(folder, `patroni-${name}.yml`)
  const config = {
    scope: 'bench',
    name,
    log: { dir: join(folder, `${name}.run`) },
    restapi: { listen: '0.0.0.0:8008', connect_address: `${address}:8008` },
    etcd3: { host: `${network.address('third')}:2379` },
    bootstrap: { dcs: { ...timing, maximum_lag_on_failover: 1 << 20, postgresql: { use_pg_rewind: false } } },
    postgresql: {
      listen: `${address}:5432`,
      connect_address: `${address}:5432`,
      data_dir: member.dataDir,
      bin_dir: requirePostgres(15).binDir,
      pgpass: join(member.runDir, 'pgpass'),
      authentication: { superuser: { username: 'postgres' }, replication: { username: 'postgres' } },
      parameters: { unix_socket_directories: member.runDir },
    },
  }
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config))
  await chown(file, account.uid, account.gid)
  cluster.spawn(name, asAccount(['/usr/bin/patroni', file], account))
}

async function roleOf(cluster: Cluster, name: 'primary' | 'west'): Promise<unknown> {
  const { state, role } = await askAgent(cluster, name, 'GET', '/patroni')
  return state === 'running' ? role : state
}

type Answer = Readonly<Record<string, unknown>>

/** Its REST API, from its own machine. Empty while it does not answer, or answers with an error. */
async function askAgent(
  { network }: Cluster,
  name: 'primary' | 'west',
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const code = `const r = await fetch('http://127.0.0.1:8008${path}', { method: '${method}', body: ${body === undefined ? 'undefined' : JSON.stringify(JSON.stringify(body))} }); console.log(r.ok || r.status === 503 ? await r.text() : '{}')`
  const [program, ...args] = network.inside(name, [process.execPath, '--input-type=module', '-e', code])
  const { stdout, exitCode } = await runProcess(program, args)
  return exitCode === 0 && stdout.startsWith('{') ? (JSON.parse(stdout) as Answer) : {}
}
