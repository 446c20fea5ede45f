import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { recoveryBody } from '../../test/support/evidence.ts'
import { openLedger, openSigner } from '../ledger/index.ts'
import { diagnose } from './doctor.ts'
import { createCatalogRepository } from './open-repository.ts'
import { contextIn, installationKey, recordEvidence } from './record-evidence.ts'
import { loadRunCatalog } from './recovery/load-catalog.ts'

// Every opening of a repository derives a key, which takes a while on purpose.
vi.setConfig({ testTimeout: 60_000 })

const { signal } = new AbortController()

test('each repository is opened once, also for the drills on record; what a ledger lacks of them is in doubt', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-doctor-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'holdfast.yaml')
  // Who asks for the password opens the repository.
  await writeFile(join(folder, 'password.sh'), `echo asked >> ${folder}/asked\necho a password\n`)
  const own = await installationKey(file)
  const steps = "[{ id: up, do: { shell: { run: 'true' } } }]"
  await writeFile(
    file,
    `version: 1
name: shop
sites: { here: {} }
ledger: { keys: { db1: '${own?.key}' } }
repositories: { nas: { url: nas, site: here, password: { command: [sh, ${folder}/password.sh] } } }
services: { orders: { owner: Shop, site: here, objectives: { rpo: 1h, rto: 1h }, recovery: back } }
plans: { back: { recovers: [orders], steps: ${steps} }, other: { recovers: [orders], steps: ${steps} } }
`,
  )
  const catalog = await loadRunCatalog(file)
  await using repository = await createCatalogRepository(catalog, 'nas')
  const due = async () => {
    await writeFile(join(folder, 'asked'), '')
    const { complaints } = await diagnose(file, {}, signal)
    expect(await readFile(join(folder, 'asked'), 'utf8')).toBe('asked\n')
    return Object.fromEntries(
      complaints.flatMap((each) => (each.code === 'drill-due' ? [[each.drill.plan, each.drill.state]] : [])),
    )
  }
  const failed = recoveryBody('run-1', { plan: 'back', outcome: 'failed' })
  await recordEvidence(repository, 'recovery', failed, { ...contextIn(catalog), service: 'orders' })
  expect(await due()).toEqual({ back: 'failed', other: 'never' })

  const stranger = () => openSigner(join(folder, 'stranger', 'key.pem'))
  const ledger = openLedger(repository.area('holdfast/ledger'), { id: repository.id, signer: stranger })
  await ledger.append('recovery', recoveryBody('run-2', { plan: 'other' }), { service: 'orders' })
  expect(await due()).toEqual({ back: 'failed', other: 'unknown' })
})
