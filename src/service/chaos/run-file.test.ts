import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { loadRunCatalog } from '../recovery/load-catalog.ts'
import { chaosFolders } from './folders.ts'
import { localRuns } from './history.ts'
import { runExperimentFile } from './run-file.ts'

afterEach(() => vi.unstubAllEnvs())

const catalogText = `version: 1
name: acme
sites: { here: {} }
services: { cache: { owner: me, site: here, objectives: { rpo: 1h, rto: 1h } } }
`
const never = new AbortController().signal
const action = (provider: object) => ({ type: 'action', name: 'a', provider })

/** Runs an experiment on record, beside a catalog of its own. */
async function onRecord(experiment: object) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-run-file-'))
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }))
  const [catalogFile, file] = [join(folder, 'holdfast.yaml'), join(folder, 'experiment.json')]
  await writeFile(catalogFile, catalogText)
  await writeFile(file, JSON.stringify({ title: 't', description: 'd', ...experiment }))
  const record = { catalog: await loadRunCatalog(catalogFile, never), services: ['cache'] }
  return { catalogFile, run: () => runExperimentFile({ file, strict: false, record }, never) }
}

test('an experiment that is refused for want of a cluster is not on record as begun', async () => {
  vi.stubEnv('KUBECONFIG', '/nowhere/config')
  const asking = action({ type: 'python', module: 'chaosk8s.pod.actions', func: 'terminate_pods' })
  const { catalogFile, run } = await onRecord({ method: [asking] })
  await expect(run()).rejects.toMatchObject({ code: 'experiment-invalid' })
  expect(await localRuns(catalogFile)).toEqual([])
})

test('what is within a secret that is JSON is in nothing that is kept', async () => {
  const said = 'hunter2 and 471142'
  const { catalogFile, run } = await onRecord({
    secrets: { scope: { key: { deep: ['hunter2'], pin: 471_142 } } },
    method: [action({ type: 'process', path: 'echo', arguments: said })],
  })
  const { journal } = await run()
  expect(JSON.stringify(journal)).toContain(said)
  expect(await localRuns(catalogFile)).toMatchObject([{ state: 'ended' }])
  const { runs } = chaosFolders(catalogFile)
  const files = (await readdir(runs, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const kept = (await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')))).join('\n')
  expect(kept).toContain('*** and ***')
  expect(kept).not.toMatch(/hunter2|471142/)
})
