import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { StatusReport } from '../../src/service/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { startPair, type ReplicatedPair } from '../support/replication.ts'

interface Ran {
  readonly runs: readonly {
    readonly verdict: string
    readonly because: readonly string[]
    readonly recoveryMs: number
    readonly drill: { readonly runId: string; readonly phases: { detectMs: number; decideMs: number; runMs: number } }
    readonly canary: { readonly acknowledged: number; readonly surviving: number; readonly lost: number; readonly rpaMs: number }
  }[]
}

/** Somewhere a server can be written to: what clients that follow the leader see. */
const writable = (psql: string, pair: ReplicatedPair) => {
  const ask = (url: string) => `${psql} '${url}' -tAXc 'select not pg_is_in_recovery()' | grep -qx t`
  return ['sh', '-c', `${ask(pair.primary.url)} || ${ask(pair.standby.url)}`]
}

async function failoverCatalog(psql: string, pair: ReplicatedPair) {
  const [sender] = await pair.primary.sql('select pid from pg_stat_replication')
  const plan = {
    recovers: ['orders'],
    steps: [
      { id: 'fence', do: { 'postgres.fence': { server: 'primary', mode: 'immediate', force: true } } },
      { id: 'promote', do: { 'postgres.promote': { server: 'west', maxLag: '1GiB', fencedBy: 'fence' } }, after: ['fence'] },
      {
        id: 'writable',
        do: { 'sql.check': { url: pair.standby.url, sql: 'select not pg_is_in_recovery()', equals: true } },
        after: ['promote'],
      },
    ],
  }
  const experiment = {
    services: ['orders'],
    hypothesis: {
      title: 'orders can be written',
      every: '250ms',
      before: '2s',
      after: '1s',
      probes: [{ name: 'writable', command: writable(psql, pair), timeout: '3s' }],
    },
    faults: [
      // Nothing reaches the standby any more, while the primary goes on acknowledging; two seconds later the primary dies.
      { inject: { 'process.pause': { target: { pid: Number(sender?.pid) }, by: 'signal' } }, for: '2s' },
      { inject: { 'process.kill': { target: { pidFile: join(pair.primary.dataDir, 'postmaster.pid'), descendants: true } } } },
    ],
    drill: { plan: 'failover', detection: { for: '500ms' } },
    canary: { url: pair.primary.url, readUrl: pair.standby.url, table: 'canary', every: '50ms' },
    recoversWithin: '90s',
    limit: '3m',
  }
  await writeFile(join(pair.folder, 'password'), 'correct horse')
  return await pair.writeCatalog({
    service: 'recovery: failover\nbackup: { to: nas }\n',
    more: stringify({
      repositories: { nas: { url: './nas', site: 'west', password: { file: './password' } } },
      plans: { failover: plan },
      experiments: { 'lose-primary': experiment },
    }),
  })
}

describeWith('postgresql-15', 'an experiment that runs a plan', (bin) => {
  test('a primary dies that the standby did not keep up with: the plan fails over, its times are told apart, and the canary counts what is lost', async () => {
    await using pair = await startPair({ version: 15 })
    const file = await failoverCatalog(join(bin, 'psql'), pair)
    const run = (...args: string[]) => holdfast(['--catalog', file, ...args, '--json'], { cwd: dirname(file) })
    expect((await run('init')).exitCode).toBe(0)
    const backup = await run('backup', '--service', 'orders')
    expect(backup.exitCode, backup.stderr).toBe(0)
    const plan = await run('chaos', 'plan', 'lose-primary')
    expect(plan.json(), plan.stderr).toMatchObject({ allowed: true })

    const ran = await run('chaos', 'run', 'lose-primary')
    const [result] = ran.json<Ran>().runs
    expect(result, ran.stdout + ran.stderr).toMatchObject({
      verdict: 'pass',
      because: [],
      drill: { plan: 'failover', succeeded: true, detectedBy: 'hypothesis' },
      ledger: [{ repository: 'nas', service: 'orders' }],
    })
    if (result === undefined) return
    const { detectMs, decideMs, runMs } = result.drill.phases
    expect(detectMs).toBeGreaterThanOrEqual(500)
    expect(Math.min(decideMs, runMs)).toBeGreaterThan(0)

    // What was acknowledged while the standby heard nothing: two seconds of it, less what was on its way.
    const { acknowledged, surviving, lost, rpaMs } = result.canary
    expect(lost).toBeGreaterThan(5)
    expect(acknowledged - lost).toBeLessThanOrEqual(surviving)
    expect(rpaMs).toBeGreaterThan(1000)
    expect(rpaMs).toBeLessThan(60_000)
    expect(await pair.standby.sql('select count(*) as n from canary')).toEqual([{ n: '0' }])

    // The recovery counts as evidence: from when it broke until the plan and those who looked from outside had seen it back.
    const { records } = (await run('ledger', 'show', '--kind', 'recovery')).json<{ records: { body: Body }[] }>()
    expect(records).toHaveLength(1)
    expect(records[0]?.body).toMatchObject({ runId: result.drill.runId, mode: 'drill-live', outcome: 'completed' })
    const rtaMs = records[0]?.body.rtaMs ?? 0
    expect(rtaMs).toBeGreaterThanOrEqual(detectMs)
    const status = (await run('status')).json<StatusReport>()
    const rto = status.services[0]?.rto
    expect(rto).toMatchObject({ basis: 'measured', measured: { drill: { mode: 'live' } } })
    expect(rto?.actualMs).toBe(Math.max(rtaMs, result.recoveryMs))
  }, 400_000)
})

interface Body {
  readonly runId: string
  readonly rtaMs: number
}
