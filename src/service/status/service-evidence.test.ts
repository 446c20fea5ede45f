import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { backupBody, recoveryBody } from '../../../test/support/evidence.ts'
import type { TagJob } from '../../backup/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import type { Repository } from '../../repository/index.ts'
import { createCatalogRepository } from '../open-repository.ts'
import { contextIn, recordEvidence } from '../record-evidence.ts'
import { loadRunCatalog } from '../recovery/load-catalog.ts'
import { readStatus } from '../status.ts'
import { tagAndRecord } from '../tag-and-record.ts'

// Every opening of a repository derives a key, which takes a while on purpose.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const dayMs = 86_400_000
const now = new Date()
const ago = (days: number) => new Date(now.getTime() - days * dayMs)

/** A catalog of one service that is backed up to two repositories, and the newest snapshot in each, whole. */
let folder: string
let catalog: Catalog
const repositories = { near: undefined as unknown as Repository, far: undefined as unknown as Repository }

type Place = keyof typeof repositories

async function save(name: Place, days: number): Promise<string> {
  const repository = repositories[name]
  const tree = days.toString(16).padStart(64, '0')
  const about = { tree, paths: ['/srv/orders'], hostname: 'db1', tags: ['service:orders'] }
  const { id } = await repository.saveSnapshot({ ...about, time: ago(days).toISOString() })
  await recordEvidence(
    repository,
    'backup',
    { ...backupBody(id), repository: name },
    { ...contextIn(catalog), service: 'orders' },
  )
  return id
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-evidence-'))
  const file = join(folder, 'holdfast.yaml')
  await writeFile(join(folder, 'password'), 'a password')
  await writeFile(
    file,
    `version: 1
name: shop
sites: { here: {}, there: {} }
repositories:
  near: { url: near, site: here, password: { file: ./password } }
  far: { url: far, site: there, password: { file: ./password } }
services:
  orders: { owner: Shop, site: here, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [/srv/orders] } }, backup: { to: [near, far] } }
  web: { owner: Shop, site: here, objectives: { rpo: 1h, rto: 1h }, dependsOn: [orders] }
`,
  )
  catalog = await loadRunCatalog(file)
  for (const name of ['near', 'far'] as const) repositories[name] = await createCatalogRepository(catalog, name)
})

afterAll(async () => {
  for (const repository of Object.values(repositories)) await (repository as Repository | undefined)?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

test('what a drill read of one copy counts, however many drills have read another since', async () => {
  const snapshots = { near: await save('near', 2), far: await save('far', 2) }
  const drill = async (runId: string, repository: Place) => {
    const restored = [{ service: 'orders', source: 'files' as const, repository, snapshot: snapshots[repository] }]
    const body: EvidenceBody<'recovery'> = recoveryBody(runId, { mode: 'drill-sandbox', restored })
    for (const each of Object.values(repositories))
      await recordEvidence(each, 'recovery', body, { ...contextIn(catalog), service: 'orders' })
  }
  await drill('of the far one', 'far')
  for (let nth = 1; nth <= 5; nth++) await drill(`of the near one, ${nth}`, 'near')
  const { services } = await readStatus(catalog, {})
  const [near, far] = services[0]?.copies?.copies ?? []
  expect(far).toMatchObject({ repository: 'far', records: [{ repository: 'far', seq: 2 }] })
  expect([near?.problem, far?.problem]).toEqual([undefined, undefined])
})

test('what was read counts for the snapshot that was given other tags since, again and again', async () => {
  const saved = await save('near', 1)
  const context = { ...contextIn(catalog), service: 'orders' }
  const tag = async (change: Pick<TagJob, 'add' | 'remove'>) => {
    const snapshots = (await repositories.near.snapshots()).slice(-1)
    await tagAndRecord({ repository: repositories.near, snapshots, ...change }, 'near', context, new AbortController().signal)
  }
  const seqs = async () => (await readStatus(catalog, {})).services[0]?.copies?.copies[0]?.records.map(({ seq }) => seq)
  const read = { repository: 'near', files: 1, sizeBytes: 10, durationMs: 0 }
  const checked = { ...read, depth: 'data' as const, snapshots: 1, packs: 1, blobs: 1, readBytes: 1, findings: [] }
  const check = await recordEvidence(repositories.near, 'check', checked, context)
  await tag({ add: ['weekly'] })
  // What the check read is older than the tag.
  expect(await seqs()).toContain(check.seq)
  const restored = { ...read, source: 'files', snapshot: saved, verifiedFiles: 1, skipped: 0 }
  const restore = await recordEvidence(repositories.near, 'restore', restored, context)
  await tag({ remove: ['weekly'] })
  expect(await seqs()).toEqual([check.seq, restore.seq])
})

test('asked for one service, it says what it says among all: what it depends on is read too', async () => {
  await save('near', 1)
  // Of a snapshot that is gone: only its service leads to it.
  const restore = { repository: 'near', snapshot: 'f'.repeat(64), source: 'files', sizeBytes: 1e6, files: 1, durationMs: 1000 }
  const context = { ...contextIn(catalog), service: 'orders' }
  await recordEvidence(repositories.near, 'restore', { ...restore, verifiedFiles: 1, skipped: 0 }, context)
  const [all, one] = [await readStatus(catalog, { now }), await readStatus(catalog, { now, services: ['web'] })]
  expect(one.services).toHaveLength(1)
  expect(one.services).toEqual(all.services.filter(({ service }) => service === 'web'))
})
