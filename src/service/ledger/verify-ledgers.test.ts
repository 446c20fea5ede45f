import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { backupBody } from '../../../test/support/evidence.ts'
import { loadCatalog, type Catalog } from '../../catalog/index.ts'
import type { Repository } from '../../repository/index.ts'
import { createCatalogRepository } from '../open-repository.ts'
import { contextIn, recordEvidence } from '../record-evidence.ts'
import { verifyLedgers } from './verify-ledgers.ts'

// Every opening of a repository derives a key, which takes a while on purpose.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const { signal } = new AbortController()

/** Two repositories of one catalog; the first has two records. */
let folder: string
let catalog: Catalog
let head: string
const repositories = { nas: undefined as unknown as Repository, away: undefined as unknown as Repository }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-verify-'))
  await writeFile(join(folder, 'password'), 'a password')
  const repository = (name: string) => `${name}: { url: ${name}, site: here, password: { file: ./password } }`
  const text = `version: 1\nname: shop\nsites: { here: {} }\nservices: {}\nrepositories: { ${repository('nas')}, ${repository('away')} }\n`
  await writeFile(join(folder, 'holdfast.yaml'), text)
  catalog = await loadCatalog(join(folder, 'holdfast.yaml'), {}, signal)
  for (const name of ['nas', 'away'] as const) repositories[name] = await createCatalogRepository(catalog, name)
  await record('nas', '1')
  head = (await record('nas', '2')).hash
})

afterAll(async () => {
  for (const repository of Object.values(repositories)) await (repository as Repository | undefined)?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function record(name: 'nas' | 'away', snapshot: string) {
  return recordEvidence(repositories[name], 'backup', backupBody(snapshot), contextIn(catalog))
}

async function verdicts(options: Parameters<typeof verifyLedgers>[1] = {}) {
  const { verdict, ledgers, missingHead } = await verifyLedgers(catalog, options, signal)
  return { verdict, of: ledgers.map((ledger) => ledger.verdict), missingHead }
}

test('an empty ledger beside a sound one is no pass', async () => {
  expect(await verdicts()).toEqual({ verdict: 'empty', of: ['ok', 'empty'] })
  await record('away', '3')
  expect(await verdicts()).toEqual({ verdict: 'ok', of: ['ok', 'ok'] })
})

test('a head that was noted must be in one of them, and not in all', async () => {
  expect(await verdicts({ head })).toEqual({ verdict: 'ok', of: ['ok', 'ok'] })
  const other = 'f'.repeat(64)
  expect(await verdicts({ head: other })).toEqual({ verdict: 'damaged', of: ['ok', 'ok'], missingHead: other })
  // What could not be looked into may have it.
  await rename(join(folder, 'away'), join(folder, 'elsewhere'))
  expect(await verdicts({ head: other })).toEqual({ verdict: 'unseen', of: ['ok'], missingHead: other })
  await rename(join(folder, 'elsewhere'), join(folder, 'away'))
})

test('nothing seems to be cut off where somebody writes to both meanwhile', async () => {
  const { nas, away } = repositories
  const over = new AbortController()
  const writing = (async () => {
    // What is written to the second names what was written to the first, after that was looked at.
    for (let round = 0; !over.signal.aborted; round++)
      for (const repository of [nas, away]) await recordEvidence(repository, 'backup', backupBody(`${round}`), contextIn(catalog))
  })()
  const found = await verdicts()
  over.abort()
  await writing
  expect(found).toEqual({ verdict: 'ok', of: ['ok', 'ok'] })
})
