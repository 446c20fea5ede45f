import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { recoverySteps, startProduction, type Production, type Site } from '../support/drills.ts'
import { holdfast, type HoldfastResult } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'

let production: Production

function outcomeIn(result: HoldfastResult): PlanOutcome {
  expect(result.stdout, result.stderr).not.toBe('')
  return result.json<{ result: PlanOutcome }>().result
}

async function journalOf({ state }: Site): Promise<string> {
  const [run] = await readdir(join(state, 'runs')).catch(() => [])
  return run === undefined ? '' : await readFile(join(state, 'runs', run, 'journal.ndjson'), 'utf8').catch(() => '')
}

/** Runs a drill and kills it with SIGKILL as soon as that step begins. */
async function killedIn(site: Site, step: string): Promise<void> {
  let kill: () => void = () => {}
  const ended = holdfast(['--catalog', site.catalog, 'drill', 'run', 'orders'], {
    onStart: (child) => (kill = () => child.kill('SIGKILL')),
  })
  const isOver = ended.then(() => true)
  const begins = async () => new RegExp(`"step":"${step}","type":"step-started"`).test(await journalOf(site))
  while (!(await Promise.race([isOver, begins()]))) await new Promise((resolve) => setTimeout(resolve, 20))
  kill()
  const { exitCode, stderr } = await ended
  expect(exitCode, `it ended before it was killed: ${stderr}`).toBe(-1)
}

/** With a step that starts a daemon, which outlives the orchestrator. */
function withDaemon(target: string): object[] {
  const daemon = { shell: { run: "setsid sh -c 'sleep 600 & wait' >/dev/null 2>&1 &", probe: 'false', idempotent: true } }
  return [
    { id: 'daemon', do: daemon },
    ...recoverySteps(target).map((step) => ('after' in step ? step : { ...step, after: ['daemon'] })),
  ]
}

describeWith('postgresql-15', 'a drill whose process was killed', () => {
  beforeAll(async () => {
    production = await startProduction()
  })
  afterAll(async () => {
    await production[Symbol.asyncDispose]()
  })

  test('is cleaned up when it is resumed, and counts', async () => {
    const site = await production.site('resumed')
    const before = await production.look()
    await killedIn(site, 'verify')
    const left = await site.left()
    expect(left.sandboxes).toHaveLength(1)
    expect(left.servers.length).toBeGreaterThan(0)
    const resumed = await site.run('--json', 'run', 'resume', 'latest')
    expect(outcomeIn(resumed)).toMatchObject({ status: 'succeeded', drill: { cleanUp: { clean: true } } })
    // Whoever sees it end is told what it achieved, and so why the exit code is what it is.
    expect((await site.run('run', 'show', 'latest')).stdout).toMatch(
      /objective +declared +achieved[^]*cleaned up: nothing of it is left/,
    )
    expect(await site.left()).toEqual({ sandboxes: [], servers: [] })
    expect(await production.look()).toEqual(before)
  })

  test('is cleaned up when it is aborted, past its promotion too, with what its commands had started', async () => {
    const site = await production.site('aborted')
    await site.declare({ steps: withDaemon(site.target), drill: { allow: { steps: ['daemon'] } } })
    const before = await production.look()
    await killedIn(site, 'verify')
    const run = (await readdir(join(site.state, 'runs')))[0] ?? ''
    expect(await daemonsOf(run)).not.toEqual([])
    const aborted = await site.run('--json', 'run', 'abort', 'latest', '--reason', 'enough')
    expect(outcomeIn(aborted).drill).toMatchObject({ cleanUp: { clean: true } })
    expect(aborted.exitCode).toBe(0)
    expect(await daemonsOf(run)).toEqual([])
    expect(await site.left()).toEqual({ sandboxes: [], servers: [] })
    expect(await production.look()).toEqual(before)
  })

  test('does not stand in the way of a recovery: its environment is its own', async () => {
    const site = await production.site('in-the-way')
    await killedIn(site, 'look')
    const dryRun = await site.run('--json', 'recover', 'orders', '--dry-run')
    expect(dryRun.json<{ blocked: boolean }>().blocked, dryRun.stdout).toBe(false)
    const again = await site.run('drill', 'run', 'orders')
    expect(again.exitCode).toBe(11)
    expect(again.stderr).toContain('resume or abort')
    expect((await site.run('run', 'abort', (await readdir(join(site.state, 'runs')))[0] ?? '')).exitCode).toBe(0)
    expect(await site.left()).toEqual({ sandboxes: [], servers: [] })
  })
})

/** Processes with this run in their environment. */
async function daemonsOf(run: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      const state = (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).split(') ').at(-1) ?? 'Z'
      return environment.includes(`HOLDFAST_RUN=${run}`) && !state.startsWith('Z') ? [Number(pid)] : []
    }),
  )
  return found.flat()
}
