import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openLocalEngine } from '../durable/index.ts'
import { ruleOf, type ObserverReport } from '../detection/index.ts'
import { stateDirectory } from '../kernel/index.ts'
import { openDecider } from './detection/act.ts'
import { detect } from './detection/detect.ts'
import type { ReportReader } from './detection/read-reports.ts'
import { waitUntilDown } from './detection/wait-until-down.ts'
import { watchedService } from './detection/watched-plan.ts'
import { diagnose, excuseOf } from './doctor.ts'
import { loadRunCatalog } from './recovery/load-catalog.ts'
import { prepareRecovery } from './recovery/prepare.ts'
import { gatherReport } from './report/facts.ts'
import { readStatus } from './status.ts'

const never = new AbortController().signal
const minuteMs = 60_000
const fromNow = (minutes: number) => new Date(Date.now() + minutes * minuteMs).toISOString()

/** A window from and to so many minutes from now, and nothing else that is announced. */
async function catalogWith({
  window,
  decide = 'ask',
  of = 'shop, other',
}: {
  window?: readonly [number, number]
  decide?: string
  of?: string
}) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-maintenance-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const [begins, ends] = (window ?? [-20_000, -10_000]).map(fromNow)
  const file = join(folder, 'holdfast.yaml')
  const service =
    '{ owner: me, site: here, tier: 1, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [/srv] } }, recovery: back }'
  await writeFile(
    file,
    `version: 1
name: acme
sites: { here: {}, north: {}, south: {} }
services:
  shop: ${service}
  other: ${service}
  front: { owner: me, site: here, tier: 2, objectives: { rpo: 1h, rto: 1h } }
maintenance: { windows: [{ title: new disks, services: [${of}], begins: ${begins}, ends: ${ends} }] }
observers: { north: { site: north, report: { http: 'http://127.0.0.1:1', token: { env: T } } }, south: { site: south, report: { http: 'http://127.0.0.1:1', token: { env: T } } } }
plans:
  back:
    recovers: [shop, other]
    detection:
      symptoms: [it does not answer]
      probes: [{ tcp: '127.0.0.1:1' }]
      observers: [north, south]
      quorum: 2 of 2
      every: 1s
      for: 10s
      decide: ${decide}
      notify: [{ message: shop is down, command: { run: 'cat >> ${folder}/pager' } }]
    steps: [{ id: wait, do: { wait: { for: 1s } } }]
`,
  )
  return { folder, file, catalog: await loadRunCatalog(file, never), ends: new Date(ends ?? '') }
}
type Catalog = Awaited<ReturnType<typeof catalogWith>>['catalog']

/** What both observers would report of an outage that they have seen for so long. */
function outage(catalog: Catalog, minutes: number): ReportReader {
  const { watch } = watchedService(catalog, 'shop')
  const held = minutes * minuteMs
  const probes = [{ probe: 'tcp 127.0.0.1:1', well: false, elapsedMs: 1, because: 'refused' }]
  const seen = { rule: ruleOf(watch), state: 'down', heldMs: held, beganMs: held, looks: 9, lookedAgoMs: 0, probes } as const
  const report = (observer: string): ObserverReport => ({
    version: 1,
    observer,
    site: observer,
    epoch: 1,
    seq: 9,
    boot: '',
    host: observer,
    pid: 1,
    upMs: held,
    sentAt: new Date().toISOString(),
    plans: { back: seen },
  })
  return {
    read: (observers) =>
      Promise.resolve(observers.map((observer) => ({ observer, heard: { report: report(observer), ageMs: 0 } }))),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

test('status, doctor and report say that it was announced, and make no verdict better by it', async () => {
  const { file, catalog, ends } = await catalogWith({ window: [-5, 60], of: 'shop, front' })
  const [without, within] = [await readStatus((await catalogWith({})).catalog, {}, never), await readStatus(catalog, {}, never)]
  expect(within.services.map(({ service, maintenance }) => [service, maintenance?.title, maintenance?.until])).toEqual([
    ['shop', 'new disks', ends],
    ['other', undefined, undefined],
    ['front', 'new disks', ends],
  ])
  expect(within.services.map(({ verdict }) => verdict)).toEqual(without.services.map(({ verdict }) => verdict))
  expect(within.verdict).toBe('unknown')
  const { complaints } = await diagnose(file, {}, never)
  const excused = complaints.filter((each) => excuseOf(each) !== undefined)
  expect(new Set(excused.map((each) => each.code === 'objective' && each.report.service))).toEqual(new Set(['front']))
  expect(complaints.at(-1)).toBe(excused.at(-1))
  // That there is nothing to recover from is excused by nothing.
  const worst = complaints.flatMap((each) =>
    each.severity === 'critical' && each.code === 'objective' ? each.report.service : [],
  )
  expect(worst).toEqual(['shop', 'other'])
  const made = { at: new Date(), host: 'h', version: 'v' }
  const reported = async (from: number, to: number) =>
    (await gatherReport(catalog, { from: new Date(fromNow(from)), to: new Date(fromNow(to)) }, made, never)).maintenance.windows
      .length
  expect([await reported(-60, -10), await reported(-60, 0)]).toEqual([0, 1])
})

test('an outage in the window is said to be one, starts nothing and wakes nobody, also where its plan may start by itself', async () => {
  for (const decide of ['ask', 'auto']) {
    const { folder, catalog, ends } = await catalogWith({ window: [-5, 60], decide })
    const [watched, reader] = [watchedService(catalog, 'shop'), outage(catalog, 3)]
    const found = await detect(catalog, watched, reader, never)
    expect(found).toMatchObject({
      verdict: 'down',
      maintenance: { title: 'new disks' },
      excusedUntil: new Date(ends.getTime() + 10_000),
      start: { start: false, because: 'maintenance', until: new Date(ends.getTime() + 10_000) },
    })
    await using decider = await openDecider(catalog, watched)
    expect(await decider.act(found, { onEvent: () => {} }, never)).toBeUndefined()
    expect(await decider.tell(found, 'details', undefined, never)).toBeUndefined()
    await expect(readFile(join(folder, 'pager'))).rejects.toThrow()
  }
})

test.each([
  ['goes on looking while the window is open', [-5, 60], 2],
  ['ends when there is none', [-60, -50], 1],
] as const)('whoever waits for an outage %s', async (_what, window, expected) => {
  const { catalog } = await catalogWith({ window })
  let looks = 0
  const onLook = () => Promise.resolve(void looks++)
  const reader = outage(catalog, 3)
  const found = await waitUntilDown(catalog, watchedService(catalog, 'shop'), reader, { timeoutMs: 500, onLook }, never)
  expect([found.verdict, looks]).toEqual(['down', expected])
})

test('an outage that goes on behind the window is told and started when it has held there, with the onset that was observed', async () => {
  const { folder, catalog, ends } = await catalogWith({ window: [-30, -2] })
  const watched = watchedService(catalog, 'shop')
  const found = await detect(catalog, watched, outage(catalog, 10), never)
  expect(found).toMatchObject({ verdict: 'down', countsFrom: ends, start: { because: 'a-person-decides' } })
  expect(found.since?.getTime()).toBeLessThan(ends.getTime())
  await using decider = await openDecider(catalog, watched)
  expect(await decider.tell(found, 'details', undefined, never)).toMatchObject({ state: 'told' })
  expect(await readFile(join(folder, 'pager'), 'utf8')).toContain('shop is down')
  const auto = await catalogWith({ window: [-30, -2], decide: 'auto' })
  const started = await detect(auto.catalog, watchedService(auto.catalog, 'shop'), outage(auto.catalog, 10), never)
  expect(started.start).toEqual({ start: true, onset: started.since })
  const later = await detect(auto.catalog, watchedService(auto.catalog, 'shop'), outage(auto.catalog, 1), never)
  expect(later).not.toHaveProperty('countsFrom')
  expect(later.start).toEqual({ start: true, onset: later.since })
})

test('maintenance that overruns by a second starts nothing: the hold time begins anew at the end of the window', async () => {
  const { catalog, ends } = await catalogWith({ window: [-30, -1 / 60], decide: 'auto' })
  const [watched, reader] = [watchedService(catalog, 'shop'), outage(catalog, 10)]
  const found = await waitUntilDown(catalog, watched, reader, { timeoutMs: 500, onLook: () => Promise.resolve() }, never)
  const until = new Date(ends.getTime() + 10_000)
  expect(found).toMatchObject({ verdict: 'down', countsFrom: ends, start: { start: false, because: 'maintenance', until } })
  expect(found).not.toHaveProperty('maintenance')
  await using decider = await openDecider(catalog, watched)
  expect(await decider.act(found, { onEvent: () => {} }, never)).toBeUndefined()
  expect(await decider.tell(found, 'details', undefined, never)).toBeUndefined()
})

test.each([
  ['that only some of the services are in', { window: [-30, 60], of: 'shop' }],
  ['that opened when it was an outage already', { window: [-2, 60], of: 'shop, other' }],
] as const)('a window %s excuses nothing', async (_what, options) => {
  const { catalog } = await catalogWith({ ...options, decide: 'auto' })
  const found = await detect(catalog, watchedService(catalog, 'shop'), outage(catalog, 10), never)
  expect(found.start).toEqual({ start: true, onset: found.since })
  expect(found).not.toHaveProperty('excusedUntil')
  // It is said all the same where it is open for all of them.
  expect(found.maintenance?.excuses).toBe(options.of === 'shop' ? undefined : false)
})

test('in a window a run that is open is said, and no second one advised', async () => {
  const { catalog } = await catalogWith({ window: [-5, 60] })
  const handler = () => new Promise<never>(() => {})
  await using engine = openLocalEngine({ directory: stateDirectory(catalog.file), handler })
  await engine.submit(prepareRecovery({ catalog, service: 'shop', runId: 'first' }).spec)
  const found = await detect(catalog, watchedService(catalog, 'shop'), outage(catalog, 3), never)
  expect(found).toMatchObject({ maintenance: { title: 'new disks' }, start: { because: 'run-open', runId: 'first' } })
})
