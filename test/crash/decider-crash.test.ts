import { spawn } from 'node:child_process'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { loadRunCatalog, openDecider, watchedService, type Acted, type Detection } from '../../src/service/index.ts'
import { detectionCatalog, type DetectionCatalog } from '../support/detection.ts'
import { holdfast } from '../support/holdfast.ts'
import { until } from '../support/until.ts'
import { testProgram } from '../support/program.ts'

vi.setConfig({ testTimeout: 120_000 })

const worker = testProgram('crash/decider-process')
const { signal } = new AbortController()

/** Two machines that watch over a service and claim in the one repository; its plan counts how often it was begun, on whichever. */
async function twoDeciders() {
  const watched = await detectionCatalog({
    probes: [{ tcp: '127.0.0.1:1' }],
    observers: { north: {}, south: {}, east: {} },
    detection: { decide: 'auto', claims: { repository: 'far', expire: '2s' } },
    steps: (folder) => [{ id: 'act', do: { shell: { run: `echo begun >> '${folder}/effects'`, undo: 'true' } } }],
  })
  const other = await watched.elsewhere()
  const onset = new Date(Date.now() - 60_000)
  const seen = await watched.look()
  const down: Detection = { ...seen, verdict: 'down', by: ['east'], start: { start: true, onset } }
  const act = async (catalogPath: string): Promise<Acted | undefined> => {
    const catalog = await loadRunCatalog(catalogPath)
    await using decider = await openDecider(catalog, watchedService(catalog, 'web'))
    return (await decider.act(down, {}, signal)) ?? undefined
  }
  return {
    watched,
    other,
    act,
    /** By one process that goes on asking, as `detect --wait --act` does. */
    async actUntil(catalogPath: string, kind: Acted['kind']): Promise<Acted | undefined> {
      const catalog = await loadRunCatalog(catalogPath)
      await using decider = await openDecider(catalog, watchedService(catalog, 'web'))
      return await until(
        `until it is ${kind}`,
        () => decider.act(down, {}, signal),
        (acted) => acted?.kind === kind,
      )
    },
    /** A process on the first machine that sends itself that signal at that instant. */
    first(instant: 'claim' | 'incident', name: NodeJS.Signals) {
      const child = spawn(process.execPath, [worker, watched.catalog, instant, name, onset.toISOString()], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      let said = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
      const ended = new Promise<string>((resolve) => child.once('close', () => resolve(said)))
      return { pid: child.pid ?? -1, ended, goOn: () => child.kill('SIGCONT') }
    },
    [Symbol.asyncDispose]: () => watched[Symbol.asyncDispose](),
  }
}

async function begun({ folder }: DetectionCatalog): Promise<number> {
  const text = await readFile(join(folder, 'effects'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '').length
}

test.each(['claim', 'incident'] as const)(
  'a decider killed right behind its %s is taken over once the claim has expired, and comes back to a run that another has begun',
  async (instant) => {
    await using here = await twoDeciders()
    expect(await here.first(instant, 'SIGKILL').ended).toBe('')
    expect(await here.act(here.other.catalog)).toMatchObject({ kind: 'claimed' })
    expect(await here.actUntil(here.other.catalog, 'ran')).toMatchObject({ run: { outcome: { status: 'succeeded' } } })
    expect(await here.act(here.watched.catalog)).toMatchObject({ kind: 'begun', claim: { begun: true } })
    expect(await here.watched.runs()).toEqual([])
    expect(await here.other.runs()).toHaveLength(1)
    expect(await begun(here.watched)).toBe(1)
  },
)

test.each(['claim', 'incident'] as const)(
  'a decider killed right behind its %s, and started again before another takes over, goes on under its claim',
  async (instant) => {
    await using here = await twoDeciders()
    await here.first(instant, 'SIGKILL').ended
    expect(await here.act(here.watched.catalog)).toMatchObject({ kind: 'ran', run: { outcome: { status: 'succeeded' } } })
    expect(await here.actUntil(here.other.catalog, 'begun')).toMatchObject({ claim: { begun: true } })
    expect(await begun(here.watched)).toBe(1)
  },
)

test('a decider that was frozen past its claim, and wakes to start its run, begins none: the run ends before its preflight', async () => {
  await using here = await twoDeciders()
  const frozen = here.first('incident', 'SIGSTOP')
  await until(
    'until it is frozen',
    () => readFile(`/proc/${frozen.pid}/stat`, 'utf8'),
    (stat) => stat.slice(stat.lastIndexOf(')') + 2).startsWith('T'),
  )
  const taken = await here.actUntil(here.other.catalog, 'ran')
  expect(taken).toMatchObject({ run: { outcome: { status: 'succeeded' } } })
  frozen.goOn()
  const late = JSON.parse(await frozen.ended) as Acted
  expect(late).toMatchObject({ kind: 'ran', run: { outcome: { status: 'preflight-failed' } } })
  expect(JSON.stringify(late)).toContain('taken over')
  expect(await begun(here.watched)).toBe(1)
})

test('of several deciders that act at the same moment, one starts a run, every time', async () => {
  await using here = await twoDeciders()
  const acted = await Promise.all([here.act(here.watched.catalog), here.act(here.other.catalog)])
  expect(acted.filter((one) => one?.kind === 'ran')).toHaveLength(1)
  expect(await begun(here.watched)).toBe(1)
})

test('where the repository of the claims cannot be reached, nothing is started', async () => {
  await using here = await twoDeciders()
  await rename(join(here.watched.folder, 'repository'), join(here.watched.folder, 'burnt'))
  expect(await here.act(here.other.catalog)).toMatchObject({ kind: 'not-claimable' })
  expect(await begun(here.watched)).toBe(0)
})

test('the run of a machine that is lost for good is settled by a person, and the next outage is claimed anew', async () => {
  await using here = await twoDeciders()
  expect(await here.act(here.watched.catalog)).toMatchObject({ kind: 'ran' })
  const begun = await here.act(here.other.catalog)
  const run = begun?.kind === 'begun' ? begun.claim.run : ''
  const settle = (name: string) =>
    holdfast(['--catalog', here.other.catalog, 'detect', 'web', '--settle', name, '--why', 'its disk is gone'])
  expect((await settle('another')).exitCode).toBe(1)
  expect((await settle(run)).exitCode).toBe(0)
  expect(await here.act(here.other.catalog)).toMatchObject({ kind: 'ran', run: { outcome: { status: 'succeeded' } } })
})
