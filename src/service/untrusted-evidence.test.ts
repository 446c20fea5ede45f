import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { backupBody, recoveryBody } from '../../test/support/evidence.ts'
import type { Catalog } from '../catalog/index.ts'
import { systemClock } from '../kernel/index.ts'
import { openLedger, openSigner, type EvidenceBody, type LedgerRecord } from '../ledger/index.ts'
import type { Repository } from '../repository/index.ts'
import { carryRecords } from './copy/carry-records.ts'
import { diagnose } from './doctor.ts'
import { createCatalogRepository } from './open-repository.ts'
import { contextIn, installationKey, openRepositoryLedger, recordEvidence } from './record-evidence.ts'
import { recordOnce } from './record-once.ts'
import { loadRunCatalog } from './recovery/load-catalog.ts'
import { readStatus } from './status.ts'
import { readRepository } from './status/repository-facts.ts'

// Every opening of a repository derives a key, which takes a while on purpose.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const signal = new AbortController().signal

/** Two repositories, and a catalog that names this installation's key and no other. */
let folder: string
let catalog: Catalog
const repositories = { nas: undefined as unknown as Repository, away: undefined as unknown as Repository }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-untrusted-'))
  const file = join(folder, 'holdfast.yaml')
  const own = await installationKey(file)
  await writeFile(join(folder, 'password'), 'a password')
  await writeFile(
    file,
    `version: 1
name: shop
sites: { here: {}, there: {} }
ledger: { keys: { db1: '${own?.key}' } }
repositories:
  nas: { url: nas, site: here, password: { file: ./password } }
  away: { url: away, site: there, password: { file: ./password } }
services:
  orders: { owner: Shop, site: here, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [/srv/orders] } }, backup: { to: nas } }
`,
  )
  catalog = await loadRunCatalog(file)
  for (const name of ['nas', 'away'] as const) {
    repositories[name] = await createCatalogRepository(catalog, name)
  }
})

afterAll(async () => {
  for (const repository of Object.values(repositories)) await (repository as Repository | undefined)?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** A ledger as somebody writes it who has the repository's password, and not the key. */
function forger(repository: Repository) {
  const signer = () => openSigner(join(folder, 'stranger', 'key.pem'))
  return openLedger(repository.area('holdfast/ledger'), { id: repository.id, signer })
}

async function counted(repository: Repository): Promise<LedgerRecord[]> {
  return Array.fromAsync(openRepositoryLedger(repository, catalog).records({ onDamage: () => {} }, signal))
}

test('a forged record keeps no evidence of a run away, and does not pass for it', async () => {
  const service = catalog.services.orders
  if (!service) throw new Error('no service')
  await forger(repositories.nas).append('recovery', recoveryBody('run-1'), { service: 'orders' })
  const record = { kind: 'recovery', service, body: recoveryBody('run-1') } as const
  expect(await recordOnce(catalog, record, signal)).toEqual([{ repository: 'nas', service: 'orders', seq: 2 }])
  // Recorded once for all that.
  expect(await recordOnce(catalog, record, signal)).toEqual([{ repository: 'nas', service: 'orders', seq: 2 }])
})

test('a forged record of a backup is not carried to the copy, which would sign it', async () => {
  const { nas: from, away: to } = repositories
  await recordEvidence(from, 'backup', { ...backupBody('real'), skipped: 3 }, { ...contextIn(catalog), service: 'orders' })
  await forger(from).append('backup', backupBody('real'), { service: 'orders' })
  await forger(from).append('backup', backupBody('made-up'), { service: 'orders' })
  const snapshots = new Map([
    ['real', 'copy-of-real'],
    ['made-up', 'copy-of-made-up'],
  ])
  await carryRecords({ from, to, names: { from: 'nas', to: 'away' }, snapshots }, contextIn(catalog), signal)
  const bodies = (await counted(to)).map(({ body }) => body as EvidenceBody<'backup'>)
  expect(bodies.map(({ snapshot, skipped }) => [snapshot, skipped])).toEqual([['copy-of-real', 3]])
})

test('whoever signs without being known is named by the doctor, once', async () => {
  for (const repository of Object.values(repositories)) await forger(repository).append('backup', backupBody('odd'))
  const stranger = (await openSigner(join(folder, 'stranger', 'key.pem'))).key
  const found = async (file: string) =>
    (await diagnose(file, {}, signal)).complaints.flatMap((complaint) => {
      if (complaint.code !== 'ledger-key') return []
      return [{ severity: complaint.severity, named: complaint.named, key: complaint.writer.key }]
    })
  expect(await found(catalog.file)).toEqual([{ severity: 'serious', named: 1, key: stranger }])
  // Where nobody is named, everybody counts, and only who came later is news.
  const keyless = join(folder, 'keyless.yaml')
  const text = await readFile(catalog.file, 'utf8')
  await writeFile(keyless, text.replace(/^ledger: .*\n/m, ''))
  expect(await found(keyless)).toMatchObject([{ severity: 'minor', named: 0 }])
})

test('damage that was found stands, whatever the clock of an older check had said', async () => {
  const counts = { snapshots: 1, packs: 1, blobs: 1, readBytes: 10, durationMs: 1 }
  const check = async (aheadMs: number, findings: EvidenceBody<'check'>['findings']) => {
    const clock = { ...systemClock, now: () => new Date(Date.now() + aheadMs) }
    const signer = () => installationKey(catalog.file)
    await openLedger(repositories.away.area('holdfast/ledger'), { id: repositories.away.id, signer, clock }).append('check', {
      repository: 'away',
      depth: 'data',
      ...counts,
      findings,
    })
  }
  // Within what clocks may differ by.
  await check(30_000, [])
  await check(0, [{ code: 'pack-damaged', count: 1 }])
  const facts = await readRepository(catalog, 'away', { now: new Date() }, signal)
  if ('because' in facts) throw new Error(facts.because)
  await using seen = facts
  expect(seen.standingDamage?.body.findings).toEqual([{ code: 'pack-damaged', count: 1 }])
})

test('what each month achieved names the ledgers that it does not count, or not whole', async () => {
  await forger(repositories.nas).append('recovery', recoveryBody('made-up'), { service: 'orders' })
  const blind = join(folder, 'blind.yaml')
  await writeFile(blind, (await readFile(catalog.file, 'utf8')).replace('url: away', 'url: gone'))
  const { trendUnseen } = await readStatus(await loadRunCatalog(blind), { trends: true }, signal)
  expect(trendUnseen).toEqual([
    { repository: 'away', because: expect.stringContaining('gone') },
    { repository: 'nas', because: expect.stringContaining('records of its ledger are damaged') },
  ])
})
