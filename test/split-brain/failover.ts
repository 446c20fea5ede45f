import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { RunEvent, RunView } from '../../src/durable/index.ts'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { openRunsAt, outcomeOf } from '../../src/service/index.ts'
import type { Scenario } from './scenario.ts'
import { caughtUp, type World } from './world.ts'

/** What a failover came to: its outcome, and everything that its journal has. */
export interface Failover {
  readonly outcome: PlanOutcome
  readonly events: readonly RunEvent[]
  /** How often the orchestrator was killed. */
  readonly kills: number
}

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
const deadlineMs = 240_000

/** Lets the scenario's disaster happen, runs the failover as an operator would, and mends the network afterwards. Throws when the run comes to no end. */
export async function failOver(world: World, scenario: Scenario): Promise<Failover> {
  const catalog = join(world.folder, 'holdfast.yaml')
  await writeFile(catalog, catalogText(world, scenario))
  await prepareStandby(world, scenario)
  await strike(world, scenario)
  const form = scenario.disaster === 'none' ? [] : ['--disaster']
  const result = await operate(world, scenario, catalog, form)
  await world.primary.signal('SIGCONT')
  for (const cable of ['primary-runner', 'primary-west', 'primary-clients'] as const)
    await world.network.mend(cable).catch(() => {})
  return result
}

async function prepareStandby({ primary, west, network }: World, { standby }: Scenario): Promise<void> {
  if (standby === 'paused') await west.sql('select pg_wal_replay_pause()')
  if (standby === 'stopped') await west.kill()
  if (standby === 'behind') {
    await caughtUp(primary, west)
    await network.cut('primary-west')
    await pause(500)
  }
}

async function strike({ primary, network }: World, { disaster }: Scenario): Promise<void> {
  if (disaster === 'killed') await primary.kill()
  if (disaster === 'frozen') await primary.signal('SIGSTOP')
  if (disaster === 'runner-cut' || disaster === 'lonely' || disaster === 'gone') await network.cut('primary-runner')
  if (disaster === 'lonely' || disaster === 'gone') await network.cut('primary-west')
  if (disaster === 'gone') await network.cut('primary-clients')
}

/** Starts the orchestrator, kills it where the scenario says so, starts it again, and answers what it asks: stop. */
async function operate(world: World, scenario: Scenario, catalog: string, form: readonly string[]): Promise<Failover> {
  await using runs = openRunsAt(catalog)
  const startedMs = performance.now()
  const killsLeft = [...scenario.kills]
  let kills = 0
  let isFenced = false
  for (let args: readonly string[] = ['recover', 'orders', '--yes', ...form]; ; args = ['run', 'resume', 'latest']) {
    const orchestrator = start(world, catalog, args)
    for (;;) {
      const [view] = await runs.list()
      const events = view === undefined ? [] : await journalOf(world, view.runId)
      if (!isFenced && events.some((event) => event.type === 'step-committed' && event.step === 'fence')) {
        isFenced = true
        await afterFence(world, scenario)
      }
      const [killAt] = killsLeft
      if (killAt !== undefined && events.length >= killAt && !orchestrator.ended()) {
        killsLeft.shift()
        kills++
        orchestrator.kill()
        await orchestrator.closed
        break
      }
      if (view !== undefined) await answer(runs, view)
      if (view?.result !== undefined && orchestrator.ended()) {
        const outcome = outcomeOf(view)
        if (outcome === undefined) throw new Error('no outcome')
        return { outcome, events: await journalOf(world, view.runId), kills }
      }
      if (orchestrator.ended() && view?.state !== 'interrupted') throw new Error(`no run: ${orchestrator.output()}`)
      if (orchestrator.ended()) break
      if (performance.now() - startedMs > deadlineMs) {
        orchestrator.kill()
        throw new Error(
          `the run came to no end in ${deadlineMs} ms: ${JSON.stringify(events.slice(-3))} ${orchestrator.output()}`,
        )
      }
      await pause(10)
    }
  }
}

function start({ network }: World, catalog: string, args: readonly string[]) {
  const [command, ...rest] = network.inside('runner', [process.execPath, program, '--catalog', catalog, ...args])
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  let hasEnded = false
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  void closed.then(() => (hasEnded = true))
  return { closed, ended: () => hasEnded, output: () => output, kill: () => child.kill('SIGKILL') }
}

/** Its records so far; a line that is being written is not one yet. */
async function journalOf({ folder }: World, runId: string): Promise<RunEvent[]> {
  const text = await readFile(join(folder, '.holdfast', 'runs', runId, 'journal.ndjson'), 'utf8').catch(() => '')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { body: RunEvent }).body)
}

async function afterFence({ network, west }: World, { afterFence }: Scenario): Promise<void> {
  if (afterFence === 'primary-cut') await network.cut('primary-runner')
  if (afterFence === 'replay-paused') await west.sql('select pg_wal_replay_pause()').catch(() => {})
}

async function answer(runs: ReturnType<typeof openRunsAt>, { runId, waitingFor, state }: RunView): Promise<void> {
  for (const { name } of waitingFor) {
    if (name.startsWith('decide:') && state === 'waiting') {
      // Answered in the meantime, or ended: then there is nothing to say.
      await runs.signal(runId, name, { decision: 'stop', by: 'operator', why: 'the test says so' }).catch(() => {})
    }
  }
}

function catalogText({ network, primary, west }: World, { power, promoteTimeout }: Scenario): string {
  const [, , , namespace = ''] = network.inside('primary', [])
  const url = (of: 'primary' | 'west', database: string) =>
    `postgres://postgres@${network.address(of, 'runner')}:5432/${database}?connect_timeout=2`
  const off =
    power === 'works'
      ? `for pid in $(ip netns pids ${namespace}); do kill -9 $pid; done; sleep 0.2; `
      : 'echo the switch does not answer >&2; exit 1; '
  const isOff = `test -z "$(ip netns pids ${namespace})"`
  return `version: 1
name: acme
sites: { east: {}, west: {} }
services:
  orders:
    owner: Orders
    site: east
    objectives: { rpo: 1m, rto: 5m }
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
    steps:
      - id: fence
        do: { postgres.fence: { server: primary, within: 5s, confirmFor: 300ms } }
        disaster:
          do: { shell: { run: '${off}${isOff}', probe: '${isOff}' } }
        timeout: 30s
      - id: promote
        after: [fence]
        do: { postgres.promote: { server: west, fencedBy: fence, heartbeat: { sql: select max(at) from rows, maxAge: 10m } } }
        timeout: ${promoteTimeout}
      - id: verify
        after: [promote]
        do: { sql.check: { url: '${url('west', 'shop')}', sql: 'select pg_is_in_recovery()', equals: false } }
`
}
