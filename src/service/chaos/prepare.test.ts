import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadRunCatalog } from '../recovery/load-catalog.ts'
import { prepareExperiment } from './prepare.ts'

const catalogText = `version: 1
name: acme
sites: { here: {} }
services: { cache: { owner: me, site: here, objectives: { rpo: 1h, rto: 1h } } }
experiments:
  full:
    services: [cache]
    hypothesis: { title: it answers, probes: [{ name: up, tcp: '127.0.0.1:1' }] }
    faults: [{ inject: { connections.redis: { url: { file: secrets.url }, hold: { leave: 1 } } }, for: 5s }]
`
const never = new AbortController().signal

async function prepared() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-prepare-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'holdfast.yaml'), catalogText)
  const password = join(folder, 'secrets.url')
  await writeFile(password, 'redis://127.0.0.1:1\n')
  return { password, ...(await prepareExperiment(await loadRunCatalog(join(folder, 'holdfast.yaml'), never), 'full', {}, never)) }
}

test('a file with a secret of a fault is found beside the catalog, known by its whole path, and no part of what an experiment does', async () => {
  const [one, other] = [await prepared(), await prepared()]
  // Nobody listens there: the secret was read, and used.
  expect(one.guardrails.map(({ message }) => message).join()).toMatch(/connections\.redis: .*127\.0\.0\.1:1/)
  expect(one.bound.map(({ params }) => params)).toEqual([{ url: { file: one.password }, hold: { leave: 1 } }])
  expect(one.hash).toBe(other.hash)
})
