import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProcess } from '../../src/kernel/index.ts'
import { requirePostgres } from '../../src/postgres/index.ts'
import { asAccount, caughtUp, makeStandby } from '../../test/split-brain/member.ts'
import { until } from '../../test/support/until.ts'
import type { Cluster } from './cluster.ts'
import { firstLine, makeTable, type Contender } from './contender.ts'

/** It looks every 2 s; a primary that does not answer is tried three times, 4 s apart. */
const timing = { monitor_interval_secs: 2, reconnect_attempts: 3, reconnect_interval: 4 }
const binDir = '/usr/lib/postgresql/15/bin'

export const repmgr: Contender = {
  name: 'repmgr',
  settings: Object.entries(timing)
    .map(([name, value]) => `${name} ${value}`)
    .join(', '),
  peers: [{ debianPackage: 'postgresql-15-repmgr', program: `${binDir}/repmgrd` }],
  postgres: `shared_preload_libraries = 'repmgr'\n`,
  async version() {
    return firstLine((await runProcess(`${binDir}/repmgr`, ['--version'])).stdout)
  },
  async begin(cluster) {
    const { primary, west, parts } = cluster
    await primary.start()
    await primary.sql(`select pg_create_physical_replication_slot('west', true)`)
    await makeStandby(west, parts)
    await west.start()
    await makeTable(cluster)
    await primary.sql('create database repmgr')
    await caughtUp(primary, west)
    const streaming = async () => (await primary.sql('select count(*) as count from pg_stat_replication'))[0]?.count
    await until('until west streams', streaming, (count) => count === '1')
    await register(cluster, 'primary', 1, ['primary', 'register'])
    await register(cluster, 'west', 2, ['standby', 'register', '--wait-sync=60'])
    for (const name of ['primary', 'west'] as const) {
      const command = [`${binDir}/repmgrd`, '-f', configOf(cluster, name), '--daemonize=false']
      cluster.spawn(name, asAccount(command, cluster.account))
    }
    const watched = async () => (await west.sql('select repmgr.get_repmgrd_pid() > 0 as runs', 'repmgr'))[0]?.runs
    await until('until repmgrd watches', watched, (runs) => runs === 't')
  },
}

const configOf = ({ folder }: Cluster, name: 'primary' | 'west') => join(folder, `repmgr-${name}.conf`)

async function register(cluster: Cluster, name: 'primary' | 'west', id: number, command: readonly string[]): Promise<void> {
  const { network, account } = cluster
  const member = cluster[name]
  const file = configOf(cluster, name)
  const conninfo = `host=${network.address(name)} user=postgres dbname=repmgr connect_timeout=2`
  const lines = {
    node_id: id,
    node_name: name,
    conninfo,
    data_directory: member.dataDir,
    pg_bindir: requirePostgres(15).binDir,
    failover: 'automatic',
    promote_command: `${binDir}/repmgr standby promote -f ${file}`,
    follow_command: `${binDir}/repmgr standby follow -f ${file} --upstream-node-id=%n`,
    log_file: join(member.runDir, 'repmgrd.log'),
    repmgrd_pid_file: join(member.runDir, 'repmgrd.pid'),
    use_replication_slots: 'no',
    ...timing,
  }
  await writeFile(
    file,
    Object.entries(lines)
      .map(([key, value]) => `${key}='${value}'\n`)
      .join(''),
  )
  await chown(file, account.uid, account.gid)
  const [program, ...args] = network.inside(name, asAccount([`${binDir}/repmgr`, '-f', file, ...command], account))
  const { exitCode, stderr } = await runProcess(program, args)
  if (exitCode !== 0) throw new Error(`repmgr ${command.join(' ')}: ${stderr}`)
}
