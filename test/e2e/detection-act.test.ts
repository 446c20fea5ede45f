import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { loadRunCatalog, openDecider, watchedService, type Detection } from '../../src/service/index.ts'
import { detectionCatalog, healthService, holdfastProcess, type DetectionCatalog } from '../support/detection.ts'
import { holdfast } from '../support/holdfast.ts'
import { until } from '../support/until.ts'

// Many processes, one after the other: on a busy machine each takes its time to start.
vi.setConfig({ testTimeout: 300_000 })

/** A step that counts how often it was begun, and takes a while. */
const countingStep = (folder: string) => [
  { id: 'act', do: { shell: { run: `echo begun >> '${folder}/effects'; sleep 2`, undo: 'true' } } },
]

/** The same behind a wait: a shell command that is killed half-way is for a person, a wait goes on. */
const waitThenCount = (folder: string) => [
  { id: 'pause', do: { wait: { for: '3s' } } },
  ...countingStep(folder).map((step) => ({ ...step, after: ['pause'] })),
]

/** A service, three real observers that see it well, and a plan that starts by itself. */
async function watchedAlone(steps: (folder: string) => readonly object[] = countingStep) {
  await using stack = new AsyncDisposableStack()
  const service = stack.use(await healthService())
  const watched = stack.use(
    await detectionCatalog({
      probes: [{ http: `http://127.0.0.1:${service.port}/`, timeout: '1s' }],
      observers: { north: {}, south: {}, east: {} },
      detection: { decide: 'auto', quiet: '1h' },
      steps,
    }),
  )
  for (const name of ['north', 'south', 'east'])
    stack.use(holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', name]))
  await watched.whenIt('healthy')
  const owned = stack.move()
  return { service, watched, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** How often the step was begun, wherever the run did it. */
async function begun({ folder }: DetectionCatalog): Promise<number> {
  const text = await readFile(join(folder, 'effects'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '').length
}

const act = (catalog: string, ...more: string[]) => ['--catalog', catalog, '--json', 'detect', 'web', '--act', ...more]

test('a decision killed right after its run was submitted goes on with that run, and one outage never starts a second', async () => {
  await using alone = await watchedAlone(waitThenCount)
  const { service, watched } = alone
  await service.kill()
  const first = holdfastProcess(act(watched.catalog, '--wait'))
  const [runId = ''] = await until(
    'until a run is there',
    () => watched.runs(),
    (runs) => runs.length > 0,
  )
  const journal = join(watched.folder, '.holdfast', 'runs', runId, 'journal.ndjson')
  await until(
    'until it is submitted',
    () => readFile(journal, 'utf8').catch(() => ''),
    (text) => text.includes('"submitted"'),
  )
  first.signal('SIGKILL')
  await first.ended()

  const again = await holdfast(act(watched.catalog, '--wait'))
  expect(again.stderr).toContain('"resumed"')
  expect(again.json()).toMatchObject({ run: runId, result: { status: 'succeeded' } })
  expect(again.exitCode).toBe(0)
  expect(await watched.runs()).toEqual([runId])
  expect(await begun(watched)).toBeGreaterThan(0)
  expect(runId).toMatch(/^back-detected-\d{8}T\d{9}Z$/)
  const input = JSON.parse((await readFile(journal, 'utf8')).split('\n')[0] ?? '') as {
    body: { input: { onsetAt: string; requestedBy: string } }
  }
  expect(input.body.input.requestedBy).toMatch(/^detection by /)
  expect(input.body.input.onsetAt.replaceAll(/[-:.]/g, '')).toBe(runId.slice('back-detected-'.length))

  // It did not help: it is down still, and that is for a person.
  await watched.whenIt('down')
  const third = await holdfast(act(watched.catalog))
  expect(third.exitCode).toBe(4)
  expect(third.json()).toMatchObject({ verdict: 'down', start: { start: false, because: 'same-outage', runId } })
  expect(await watched.runs()).toEqual([runId])

  // Another machine, which has nothing but the repository, finds the run in its ledger.
  await rm(join(watched.folder, '.holdfast', 'runs'), { recursive: true })
  await rm(join(watched.folder, '.holdfast', 'incidents'), { recursive: true })
  const elsewhere = await holdfast(act(watched.catalog))
  expect(elsewhere.json()).toMatchObject({ verdict: 'down', start: { start: false, because: 'same-outage', runId } })
})

test('another outage soon after a failover is refused, and after the quiet time it is an incident with a run of its own', async () => {
  await using alone = await watchedAlone()
  const { service, watched } = alone
  await service.kill()
  expect((await holdfast(act(watched.catalog, '--wait'))).exitCode).toBe(0)
  await service.start()
  await watched.whenIt('healthy')
  expect((await holdfast(act(watched.catalog))).json()).toMatchObject({ verdict: 'healthy' })
  await service.kill()
  await watched.whenIt('down')
  const refused = await holdfast(act(watched.catalog))
  expect(refused.exitCode).toBe(4)
  expect(refused.json()).toMatchObject({ verdict: 'down', start: { start: false, because: 'quiet' } })
  expect(await begun(watched)).toBe(1)

  await writeFile(watched.catalog, (await readFile(watched.catalog, 'utf8')).replace('quiet: 1h', 'quiet: 1ms'))
  expect((await holdfast(act(watched.catalog))).exitCode).toBe(0)
  expect(await watched.runs()).toHaveLength(2)
  expect(await begun(watched)).toBe(2)
})

test('an incident recorded before its run was there gives its run that name and that onset; two processes never decide at once', async () => {
  await using watched = await detectionCatalog({
    probes: [{ tcp: '127.0.0.1:1' }],
    observers: { north: {}, south: {}, east: {} },
    detection: { decide: 'auto' },
    steps: countingStep,
  })
  const signal = new AbortController().signal
  const catalog = await loadRunCatalog(watched.catalog)
  const recorded = {
    version: 1,
    id: 'back-detected-20261126T120000000Z',
    plan: 'back',
    service: 'web',
    onset: '2026-11-26T12:00:00.000Z',
    decidedAt: new Date().toISOString(),
    by: ['north', 'south'],
  }
  await mkdir(join(watched.folder, '.holdfast', 'incidents'), { recursive: true })
  await writeFile(join(watched.folder, '.holdfast', 'incidents', `${recorded.id}.json`), JSON.stringify(recorded))
  const seen = await watched.look()
  // As if the reports had shown it again: the onset by them is a little different now.
  const down: Detection = { ...seen, verdict: 'down', by: ['east'], start: { start: true, onset: new Date(Date.now() - 60_000) } }
  await using decider = await openDecider(catalog, watchedService(catalog, 'web'))
  await expect(openDecider(catalog, watchedService(catalog, 'web'))).rejects.toMatchObject({ code: 'run-busy' })
  expect(await decider.finishOpen({}, signal)).toBeUndefined()
  const acted = await decider.act(down, {}, signal)
  expect(acted).toMatchObject({ kind: 'ran', run: { runId: recorded.id, outcome: { timing: { onsetAt: recorded.onset } } } })
  expect(await watched.runs()).toEqual([recorded.id])
  expect((await watched.look()).start).toMatchObject({ start: false })
})

test('a record of an incident that cannot be read stops nobody from seeing, and anything from being started', async () => {
  await using watched = await detectionCatalog({
    probes: [{ tcp: '127.0.0.1:1' }],
    observers: { north: {}, south: {}, east: {} },
    detection: { decide: 'auto' },
  })
  await mkdir(join(watched.folder, '.holdfast', 'incidents'), { recursive: true })
  await writeFile(join(watched.folder, '.holdfast', 'incidents', 'back-detected-x.json'), '{')
  const seen = await holdfast(act(watched.catalog))
  expect(seen.exitCode).toBe(1)
  expect(seen.stderr).toContain('journal-damaged')
  expect(await watched.look()).toMatchObject({ verdict: 'unknown', start: { start: false, because: 'runs-unreadable' } })
})
