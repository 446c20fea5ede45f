import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { recoveryBody } from '../../../test/support/evidence.ts'
import type { Catalog } from '../../catalog/index.ts'
import { openLedger, openSigner, type EvidenceBody } from '../../ledger/index.ts'
import type { Repository } from '../../repository/index.ts'
import { createCatalogRepository } from '../open-repository.ts'
import { contextIn, installationKey, recordEvidence } from '../record-evidence.ts'
import { loadRunCatalog } from '../recovery/load-catalog.ts'
import { attest } from './attest.ts'
import { checkReadiness, readiness, type Checklist } from './checklist.ts'
import { gatherChecklist } from './facts.ts'

// Every opening of a repository derives a key, which takes a while on purpose.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const { signal } = new AbortController()
const dayMs = 86_400_000

/** A service with data of which everything is said, and one of which nothing is. */
let folder: string
let catalog: Catalog
const repositories = { nas: undefined as unknown as Repository, away: undefined as unknown as Repository }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-checklist-'))
  const file = join(folder, 'holdfast.yaml')
  const own = await installationKey(file)
  await writeFile(join(folder, 'password'), 'a password')
  const repository = (name: string, site: string) =>
    `${name}: { url: ${name}, site: ${site}, password: { file: ./password }, immutableFor: 400d, media: object-storage }`
  await writeFile(
    file,
    `version: 1
name: shop
sites: { here: {}, there: {} }
ledger: { keys: { db1: '${own?.key}' } }
contacts: { ann: { phone: '+1 555 0100' } }
repositories: { ${repository('nas', 'here')}, ${repository('away', 'there')} }
services:
  orders:
    owner: ann
    onCall: ann
    tier: 1
    site: here
    objectives: { rpo: 1d, rto: 4h }
    strategy: hot-standby
    downtimeCostPerHour: 900
    recovery: back
    data: { files: { paths: [/srv/orders] } }
    backup: { to: [nas, away], schedule: hourly, keep: { daily: 400 } }
    verify: { check: weekly, restoreTest: monthly }
  web: { site: here, objectives: { rpo: 1d, rto: 4h }, dependsOn: [orders] }
  batch: { site: here, objectives: { rpo: 1d, rto: 4h }, recovery: blind, onCall: ann }
accepted: [{ lint: no-owner, of: batch, because: it is going away, by: ann, until: '2099-12-31' }]
plans:
  blind: { recovers: [batch], steps: [{ id: up, do: { shell: { run: 'true' } } }] }
  back: { recovers: [orders], steps: [{ id: up, do: { shell: { run: 'true' } }, check: { http.check: { url: 'http://localhost/' } } }] }
`,
  )
  catalog = await loadRunCatalog(file)
  for (const name of ['nas', 'away'] as const) repositories[name] = await createCatalogRepository(catalog, name)
})

afterAll(async () => {
  for (const repository of Object.values(repositories)) await (repository as Repository | undefined)?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const read = (service?: string) => checkReadiness(catalog, { services: service === undefined ? undefined : [service] }, signal)

/** The checklist of the same facts, today and so many days later. */
async function readOverTime(days: readonly number[]): Promise<Checklist[]> {
  const facts = await gatherChecklist(catalog, { names: ['orders'], now: new Date() }, signal)
  return days.map((after) => readiness({ ...facts, now: new Date(facts.now.getTime() + after * dayMs) }))
}

function states({ items }: Checklist): Record<string, string> {
  return Object.fromEntries(items.map(({ code, state }) => [code, state]))
}

function answer({ items }: Checklist, code: string, of: string) {
  return items.find((item) => item.code === code)?.answers.find((each) => each.of === of)
}

test('says of each service what the catalog says, and what nobody has measured or said', async () => {
  expect(states(await read('orders'))).toEqual({
    objectives: 'yes',
    tiers: 'yes',
    'downtime-cost': 'yes',
    owners: 'yes',
    'accepted-risks': 'yes',
    'objectives-agreed': 'no',
    strategy: 'yes',
    replication: 'yes',
    immutability: 'yes',
    retention: 'yes',
    'backups-current': 'unknown',
    'integrity-checks': 'no',
    'restores-tested': 'no',
    plans: 'yes',
    drills: 'no',
    'drill-findings': 'yes',
    escalation: 'yes',
    evidence: 'no',
    'backup-alerts': 'no',
    training: 'no',
    'runbook-copies': 'no',
    'contacts-reached': 'no',
  })
  const both = await read()
  expect(both.state).toBe('no')
  expect(states(both)).toMatchObject({ objectives: 'yes', tiers: 'no', owners: 'no', plans: 'no', replication: 'yes' })
  expect(answer(both, 'replication', 'web')).toMatchObject({ state: 'not-needed' })
  expect(answer(both, 'plans', 'batch')).toMatchObject({
    state: 'no',
    because: 'the plan blind checks nothing',
    evidence: [{ catalog: 'plans.blind.steps' }],
  })
  expect(answer(both, 'owners', 'batch')).toMatchObject({ state: 'yes', because: 'accepted: no-owner by ann until 2099-12-31' })
  expect(answer(both, 'owners', 'web')).toMatchObject({ state: 'no', evidence: [{ catalog: 'services.web' }] })
  expect(answer(both, 'escalation', 'batch')).toMatchObject({ state: 'yes', evidence: [{ catalog: 'services.batch.onCall' }] })
  expect(answer(both, 'objectives', 'orders')?.evidence).toContainEqual({ catalog: 'services.orders.objectives.rpo' })
  await expect(read('nobody')).rejects.toMatchObject({ code: 'unknown-service' })
})

test('counts what is on record, by its place, until it is too old', async () => {
  const counts = { snapshots: 1, packs: 1, blobs: 1, readBytes: 10, durationMs: 1 }
  const check = async (name: 'nas' | 'away', findings: EvidenceBody<'check'>['findings']) => {
    const repository = repositories[name]
    await recordEvidence(repository, 'check', { repository: name, depth: 'data', ...counts, findings }, contextIn(catalog))
    if (name === 'nas')
      await recordEvidence(repository, 'recovery', recoveryBody('run-1', { plan: 'back', mode: 'drill-sandbox' }), {
        ...contextIn(catalog),
        service: 'orders',
      })
  }
  await check('nas', [])
  expect(states(await read())).toMatchObject({ 'integrity-checks': 'no' })
  await check('away', [])
  const [today, in40Days, in100Days] = (await readOverTime([0, 40, 100])) as [Checklist, Checklist, Checklist]
  expect(states(today)).toMatchObject({ 'integrity-checks': 'yes', drills: 'yes' })
  expect(answer(today, 'drills', 'back')).toMatchObject({ evidence: [{ repository: 'nas', seq: 2 }] })
  expect(answer(today, 'integrity-checks', 'away')).toMatchObject({ evidence: [{ repository: 'away', seq: 1 }] })
  expect(states(in40Days)).toMatchObject({ 'integrity-checks': 'no', drills: 'yes' })
  expect(states(in100Days)).toMatchObject({ drills: 'no' })
  await check('away', [{ code: 'pack-damaged', count: 1 }])
  expect(answer(await read('orders'), 'integrity-checks', 'away')).toMatchObject({
    state: 'no',
    because: 'a check has found damage',
  })
})

test(
  'takes the word of a person for a time, of the service that it is about, and of nobody who is unknown',
  { timeout: 60_000 },
  async () => {
    const word = { item: 'training', by: 'Ann Lee', forMs: 30 * dayMs }
    await attest(catalog, { ...word, service: 'orders', note: 'but Bob' }, signal)
    const first = await read()
    expect(answer(first, 'training', 'orders')).toMatchObject({
      state: 'yes',
      because: expect.stringMatching(/^by the word of Ann Lee on .*: but Bob$/) as string,
      evidence: [{ repository: 'nas' }, { repository: 'away' }],
    })
    expect(answer(first, 'training', 'web')).toMatchObject({ state: 'no', because: 'nobody has said so' })
    const [before, after] = (await readOverTime([29, 31])) as [Checklist, Checklist]
    expect(states(before)).toMatchObject({ training: 'yes' })
    expect(answer(after, 'training', 'orders')).toMatchObject({
      state: 'no',
      because: expect.stringContaining('ran out') as string,
    })
    await attest(catalog, word, signal)

    const repository = repositories.nas
    const stranger = () => openSigner(join(folder, 'stranger', 'key.pem'))
    const forged = { id: 'f', item: 'backup-alerts', by: 'CEO', recordedBy: 'x', expiresAt: '2099-01-01T00:00:00.000Z' }
    await openLedger(repository.area('holdfast/ledger'), { id: repository.id, signer: stranger }).append('attestation', forged)
    expect(states(await read())).toMatchObject({ training: 'yes', 'backup-alerts': 'no' })

    await expect(attest(catalog, { ...word, item: 'drills' }, signal)).rejects.toMatchObject({ code: 'usage' })
    await expect(attest(catalog, { ...word, item: 'nothing' }, signal)).rejects.toMatchObject({ code: 'usage' })
    await expect(attest(catalog, { ...word, forMs: 3000 * dayMs }, signal)).rejects.toMatchObject({ code: 'usage' })
    await expect(attest(catalog, { ...word, by: ' ' }, signal)).rejects.toMatchObject({ code: 'usage' })
  },
)

test('does not know what a repository may have that cannot be looked into; a word is on record where it can be', async () => {
  await rename(join(folder, 'nas'), join(folder, 'nas-away'))
  const blind = await read('orders')
  expect(blind.unseen).toMatchObject([{ repository: 'nas' }])
  expect(states(blind)).toMatchObject({
    drills: 'unknown',
    evidence: 'unknown',
    'restores-tested': 'unknown',
    'runbook-copies': 'unknown',
  })
  // The other one has it.
  expect(states(blind)).toMatchObject({ training: 'yes' })
  const attested = await attest(catalog, { item: 'runbook-copies', by: 'Ann Lee', forMs: dayMs }, signal)
  expect(attested).toMatchObject({ records: [{ repository: 'away' }], failed: [{ repository: 'nas' }] })
  expect(states(await read('orders'))).toMatchObject({ 'runbook-copies': 'yes' })
  await rename(join(folder, 'nas-away'), join(folder, 'nas'))
})
