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
  const gather = (environment?: ServiceEnvironment) => {
    const period = { from: new Date(Date.now() - 86_400_000), to: new Date(Date.now() + 86_400_000) }
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
  const of = async (environment: ServiceEnvironment) => {
    const { backups, runs } = await gather(environment)
    return [new Set(backups.map(({ service }) => service)), new Set(runs.map(({ service }) => service))]
  }
  expect(await of('production')).toEqual([new Set(['orders', 'gone', undefined]), new Set(['orders', 'gone'])])
  expect(await of('staging')).toEqual([new Set(['trial', 'gone', undefined]), new Set(['gone'])])
})
