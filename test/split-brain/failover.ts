import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { RunEvent, RunView } from '../../src/durable/index.ts'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { openRunsAt, outcomeOf } from '../../src/service/index.ts'
import { caughtUp } from './member.ts'
import { detectArguments, watch } from './observers.ts'
import { cutOff, mendPrimary } from './places.ts'
import { decidedBy, type Scenario } from './scenario.ts'
import type { HoldfastProcess, World } from './world.ts'

/** What a failover came to: its outcome, and everything that its journal has. */
export interface Failover {
  readonly outcome: PlanOutcome
  readonly events: readonly RunEvent[]
  /** How often the orchestrator was killed. */
  readonly kills: number
}

const deadlineMs = 240_000

/** Lets the scenario's disaster happen, runs the failover as an operator would, and mends the network afterwards. Throws when the run comes to no end. */
export async function failOver(world: World, scenario: Scenario): Promise<Failover> {
  const catalog = await world.writeCatalog(scenario)
  const decider = decidedBy(scenario) === 'observers' ? await watch(world) : undefined
  await prepareStandby(world, scenario)
  await strike(world, scenario)
  const form = scenario.disaster === 'none' ? [] : ['--disaster']
  const result = await operate(
    world,
    scenario,
    catalog,
    decider ?? world.holdfast('runner', ['recover', 'orders', '--yes', ...form]),
  )
  await world.primary.signal('SIGCONT')
  await mendPrimary(world.network)
  for (const place of ['names', 'proxy'] as const) await world.network.mend(place, 'runner')
  return result
}

async function prepareStandby({ primary, west, network }: World, { standby }: Scenario): Promise<void> {
  if (standby === 'paused') await west.sql('select pg_wal_replay_pause()')
  if (standby === 'stopped') await west.kill()
  if (standby === 'behind') {
    await caughtUp(primary, west)
    await network.cut('primary', 'west')
    await pause(500)
  }
}

async function strike({ primary, network }: World, { disaster, observer }: Scenario): Promise<void> {
  if (observer === 'cut-off') for (const place of ['primary', 'runner'] as const) await network.cut('north', place)
  if (disaster === 'killed') await primary.kill()
  if (disaster === 'frozen') await primary.signal('SIGSTOP')
  if (disaster === 'runner-cut') await network.cut('primary', 'runner')
  if (disaster === 'lonely' || disaster === 'gone') await cutOff(network)
  if (disaster === 'gone') await network.cut('primary', 'clients')
}

/** Kills the orchestrator where the scenario says so, starts it again, and answers what it asks: stop. */
async function operate(world: World, scenario: Scenario, catalog: string, begun: HoldfastProcess): Promise<Failover> {
  await using runs = openRunsAt(catalog)
  const again = decidedBy(scenario) === 'observers' ? detectArguments : ['run', 'resume', 'latest']
  const startedMs = performance.now()
  const killsLeft = [...scenario.kills]
  let kills = 0
  let isFenced = false
  for (let orchestrator = begun; ; orchestrator = world.holdfast('runner', again)) {
    for (;;) {
      // Before the look: what it did last is in what is seen then.
      const hasEnded = orchestrator.ended()
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
      if (view?.result !== undefined && hasEnded) {
        const outcome = outcomeOf(view)
        if (outcome === undefined) throw new Error('no outcome')
        return { outcome, events: await journalOf(world, view.runId), kills }
      }
      if (hasEnded && view?.state !== 'interrupted') throw new Error(`no run: ${orchestrator.output()}`)
      if (hasEnded) break
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

/** Its records so far; a line that is being written is not one yet. */
async function journalOf({ folder }: World, runId: string): Promise<RunEvent[]> {
  const text = await readFile(join(folder, '.holdfast', 'runs', runId, 'journal.ndjson'), 'utf8').catch(() => '')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { body: RunEvent }).body)
}

async function afterFence({ network, west, names }: World, { afterFence }: Scenario): Promise<void> {
  if (afterFence === 'primary-cut') await network.cut('primary', 'runner')
  if (afterFence === 'replay-paused') await west.sql('select pg_wal_replay_pause()').catch(() => {})
  if (afterFence === 'names-refuse') await names.refuse()
  if (afterFence === 'names-silent') await network.cut('names', 'runner')
  if (afterFence === 'proxy-cut') await network.cut('proxy', 'runner')
}

async function answer(runs: ReturnType<typeof openRunsAt>, { runId, waitingFor, state }: RunView): Promise<void> {
  for (const { name } of waitingFor) {
    if (name.startsWith('decide:') && state === 'waiting') {
      // Answered in the meantime, or ended: then there is nothing to say.
      await runs.signal(runId, name, { decision: 'stop', by: 'operator', why: 'the test says so' }).catch(() => {})
    }
  }
}
