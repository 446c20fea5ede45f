import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { EvidenceBody } from '../../src/ledger/index.ts'
import {
  createCatalogRepository,
  listDrills,
  loadRunCatalog,
  openCatalogRepository,
  recordEvidence,
  type StatusReport,
} from '../../src/service/index.ts'
import { recoveryBody } from '../support/evidence.ts'
import { never } from '../support/chaos.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

const text = `version: 1
name: acme
sites: { hq: {} }
repositories: { nas: { url: repository, site: hq, password: { file: ./password } } }
services: { api: { owner: Shop, site: hq, objectives: { rpo: 1h, rto: 2m }, recovery: back } }
plans: { back: { recovers: [api], steps: [{ id: up, do: { shell: { run: 'true' } }, check: { http.check: { url: 'http://localhost/' } } }] } }
`

function experimentBody(runId: string, changes: Partial<EvidenceBody<'experiment'>>): EvidenceBody<'experiment'> {
  return {
    runId,
    experiment: 'lose-api',
    hash: 'b'.repeat(64),
    environment: 'dev',
    services: ['api'],
    by: 'ann',
    startedAt: '2026-01-02T03:04:05.000Z',
    endedAt: '2026-01-02T03:05:05.000Z',
    verdict: 'pass',
    because: [],
    samples: {},
    faults: [],
    basis: { runs: 1, passed: 1, lower: 0.05, upper: 1 },
    ...changes,
  }
}

test('a recovery within an experiment counts only once that has passed, with the longer of both times', async () => {
  await using folder = await temporaryFolder('experiment-evidence')
  const file = join(folder.path, 'holdfast.yaml')
  await writeFile(file, text)
  await writeFile(join(folder.path, 'password'), 'correct horse')
  const catalog = await loadRunCatalog(file)
  await (await createCatalogRepository(catalog, 'nas'))[Symbol.asyncDispose]()
  const run = (...args: string[]) => holdfast(['--catalog', file, '--json', ...args])
  const { drill } = (await run('drill', 'run', 'api', '--live', '--dry-run')).json<{ drill: { planHash: string } }>()
  const rto = async () => (await run('status')).json<StatusReport>().services[0]?.rto
  const record = async <Kind extends 'recovery' | 'experiment'>(kind: Kind, body: EvidenceBody<Kind>) => {
    await using repository = await openCatalogRepository(catalog, 'nas')
    await recordEvidence(repository, kind, body, { service: 'api', catalogPath: file })
  }
  const drilled = (runId: string, experiment: string) => {
    const about = { status: 'succeeded', requestedBy: 'ann', participants: [], experiment, changes: [], steps: [], findings: [] }
    const common = { plan: 'back', planHash: drill.planHash, mode: 'drill-live', drill: about } as const
    return recoveryBody(runId, common)
  }

  // 60 seconds, by the plan itself: nobody knows yet what was seen from outside.
  await record('recovery', drilled('run-1', 'chaos-1'))
  expect(await rto()).toMatchObject({ verdict: 'unknown' })
  await record('experiment', experimentBody('chaos-1', { verdict: 'inconclusive' }))
  expect(await rto()).toMatchObject({ verdict: 'unknown' })

  await record('recovery', drilled('run-2', 'chaos-2'))
  await record('experiment', experimentBody('chaos-2', { recoveryMs: 90_000 }))
  expect(await rto()).toMatchObject({ verdict: 'met', basis: 'measured', actualMs: 90_000 })

  await record('recovery', drilled('run-3', 'chaos-3'))
  await record('experiment', experimentBody('chaos-3', { verdict: 'fail', because: ['it did not come back'] }))
  expect(await rto()).toMatchObject({ verdict: 'missed', because: 'last-recovery-failed' })

  // An experiment without a plan that passes takes nothing of that back: it shows no recovery.
  await record('experiment', experimentBody('chaos-4', { recoveryMs: 1000 }))
  expect(await rto()).toMatchObject({ verdict: 'missed' })

  // So say those who look at drills.
  const { drills } = await listDrills(catalog, 'api', never)
  expect(drills.map(({ runId, state, verdict, rtaMs }) => ({ runId, state, verdict, rtaMs }))).toEqual([
    { runId: 'run-3', state: 'completed', verdict: 'missed', rtaMs: 60_000 },
    { runId: 'run-2', state: 'completed', verdict: 'met', rtaMs: 90_000 },
    { runId: 'run-1', state: 'aborted', verdict: 'unknown', rtaMs: undefined },
  ])
})
