import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { backupBody, recoveryBody } from '../../../test/support/evidence.ts'
import type { ServiceEnvironment } from '../../catalog/index.ts'
import type { EvidenceBody, EvidenceKind } from '../../ledger/index.ts'
import type { Repository } from '../../repository/index.ts'
import { createCatalogRepository } from '../open-repository.ts'
import { contextIn, recordEvidence } from '../record-evidence.ts'
import { loadRunCatalog } from '../recovery/load-catalog.ts'
import { controlsOf } from './controls.ts'
import { gatherReport } from './facts.ts'
import { documentOf } from './write.ts'

// Every opening of a repository derives a key, which takes a while on purpose.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const restore: EvidenceBody<'restore'> = {
  repository: 'nas',
  snapshot: 's1',
  sizeBytes: 10,
  files: 1,
  durationMs: 1,
  verifiedFiles: 1,
  skipped: 0,
}

let folder: string
let repository: Repository

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-report-'))
  // Who asks for the password opens the repository.
  await writeFile(join(folder, 'password.sh'), `echo asked >> ${folder}/asked\necho a password\n`)
  await writeFile(
    join(folder, 'holdfast.yaml'),
    `version: 1
name: shop
sites: { here: {} }
repositories:
  nas: { url: nas, site: here, password: { command: [sh, ${folder}/password.sh] } }
services:
  orders:
    { owner: Shop, site: here, objectives: { rpo: 1h, rto: 1h }, recovery: back, backup: { to: nas }, data: { files: { paths: [/srv] }, postgres: { url: 'postgres://localhost/orders' } } }
  trial: { owner: Shop, site: here, environment: staging, objectives: { rpo: 1h, rto: 1h } }
plans:
  back: { recovers: [orders], steps: [{ id: up, do: { shell: { run: 'true' } }, check: { http.check: { url: 'http://localhost/' } } }] }
  other: { recovers: [orders], steps: [{ id: up, do: { shell: { run: 'true' } }, check: { http.check: { url: 'http://localhost/' } } }] }
`,
  )
  const catalog = await loadRunCatalog(join(folder, 'holdfast.yaml'))
  repository = await createCatalogRepository(catalog, 'nas')
})

afterAll(async () => {
  await repository[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** What is put on record, and the report of it. */
async function report() {
  const catalog = await loadRunCatalog(join(folder, 'holdfast.yaml'))
  const record = async <Kind extends EvidenceKind>(kind: Kind, body: EvidenceBody<Kind>, service?: string) => {
    await recordEvidence(repository, kind, body, { ...contextIn(catalog), ...(service === undefined ? {} : { service }) })
  }
  const gather = (environment?: ServiceEnvironment, days: readonly [number, number] = [-1, 1]) => {
    const [from, to] = days.map((day) => new Date(Date.now() + day * 86_400_000)) as [Date, Date]
    const period = { from, to }
    return gatherReport(catalog, period, { at: new Date(), host: 'h', version: '0', environment }, new AbortController().signal)
  }
  const support = async () => {
    const controls = controlsOf(await gather())
    return Object.fromEntries(controls.map(({ reference, support: how }) => [reference, how]))
  }
  return { record, gather, support }
}

test('only a whole restore, and a run of its own plan, is evidence for a service', async () => {
  const { record, support } = await report()
  const nothing = { 'Art. 12': 'nothing on record', 'REL 9': 'nothing on record', 'A1.3': 'nothing on record' }
  await record('backup', backupBody('s1'), 'orders')
  await record('backup', { ...backupBody('s2'), source: 'postgres' }, 'orders')
  await record('restore', { ...restore, partial: true })
  await record('restore', { ...restore, snapshot: 's2', skipped: 1 })
  await record('recovery', recoveryBody('run-1', { plan: 'other' }), 'orders')
  expect(await support()).toMatchObject(nothing)
  // One source of two.
  await record('restore', restore)
  expect(await support()).toMatchObject(nothing)
  await record('restore', { ...restore, snapshot: 's2' })
  expect(await support()).toMatchObject({ 'Art. 12': 'supported', 'REL 9': 'supported', 'A1.3': 'nothing on record' })
  await record('recovery', recoveryBody('run-2', { plan: 'back' }), 'orders')
  expect(await support()).toMatchObject({ 'Art. 12': 'supported', 'A1.3': 'supported', 'REL 13': 'supported' })
})

test('a restore is of the service whose backup it is from, and each repository is opened once', async () => {
  const { gather } = await report()
  await writeFile(join(folder, 'asked'), '')
  const { restores, unseen } = await gather()
  expect(await readFile(join(folder, 'asked'), 'utf8')).toBe('asked\n')
  expect(unseen).toEqual([])
  expect(restores.map(({ service, source, body }) => [service, source, body.partial === true])).toEqual([
    ['orders', 'files', true],
    ['orders', 'postgres', false],
    ['orders', 'files', false],
    ['orders', 'postgres', false],
  ])
})

test('the report of an environment leaves out what is known to be of another, and nothing else', async () => {
  const { record, gather } = await report()
  await record('backup', backupBody('s3'), 'trial')
  await record('backup', backupBody('s4'), 'gone')
  await record('backup', backupBody('s5'))
  await record('recovery', recoveryBody('run-3', { plan: 'gone', outcome: 'failed' }), 'gone')
  // By the first version: its plan recovers what is in production.
  await record('recovery', recoveryBody('run-0', { plan: 'back' }))
  const of = async (environment: ServiceEnvironment) => {
    const { backups, runs } = await gather(environment)
    return [new Set(backups.map(({ service }) => service)), new Set(runs.map(({ service }) => service))]
  }
  expect(await of('production')).toEqual([new Set(['orders', 'gone', undefined]), new Set(['orders', 'gone', undefined])])
  expect(await of('staging')).toEqual([new Set(['trial', 'gone', undefined]), new Set(['gone'])])
  const exceptions = async (environment?: ServiceEnvironment) => JSON.stringify(documentOf(await gather(environment)))
  expect(await exceptions('staging')).toContain('None for services of staging is accepted in the catalog.')
  expect(await exceptions()).toContain('None is accepted in the catalog.')
})

test('runs are those of the period, and what drills have found is told whenever that was', async () => {
  const { record, gather } = await report()
  const found = {
    id: 'back/steps/dns',
    code: 'step-skipped',
    message: 'dns was left out',
    owner: 'Shop',
    dueAt: '2099-01-01T00:00:00.000Z',
  }
  const drill = { status: 'completed', requestedBy: 'me', participants: [], changes: [], steps: [], findings: [found] }
  await record('recovery', recoveryBody('run-4', { plan: 'back', mode: 'drill-sandbox', drill }), 'orders')
  const runsAndFindings = async (days: readonly [number, number]) => {
    const { runs, findings } = await gather(undefined, days)
    return [runs.some(({ body }) => body.runId === 'run-4'), findings.map(({ id }) => id)]
  }
  expect(await runsAndFindings([-1, 1])).toEqual([true, [found.id]])
  expect(await runsAndFindings([1, 2])).toEqual([false, [found.id]])
  expect(await runsAndFindings([-2, -1])).toEqual([false, [found.id]])
})

test('charts of months say so where a ledger lacks something, and copies count by recoveries that restored them, too', async () => {
  const { record, gather } = await report()
  await record('recovery', recoveryBody('run-5', { plan: 'back' }), 'orders')
  const facts = await gather()
  const textOf = (changes: Partial<typeof facts>) => JSON.stringify(documentOf({ ...facts, ...changes }))
  expect(textOf({})).toContain('a recovery or drill that restored it from there')
  expect(textOf({})).not.toContain('months may lack runs')
  expect(textOf({ unseen: [{ repository: 'away', because: 'gone' }] })).toContain('months may lack runs')
})
