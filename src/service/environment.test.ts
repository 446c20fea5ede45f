import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { servicesIn, type ServiceEnvironment } from '../catalog/index.ts'
import { openLocalEngine } from '../durable/index.ts'
import { stateDirectory } from '../kernel/index.ts'
import { checkReadiness } from './checklist/checklist.ts'
import { diagnose } from './doctor.ts'
import { prepareDrill } from './drill/prepare.ts'
import { runDueDrills } from './drill/run-due.ts'
import { loadRunCatalog } from './recovery/load-catalog.ts'
import { openRunsAt } from './recovery/run-views.ts'
import { gatherReport } from './report/facts.ts'
import { documentOf } from './report/write.ts'
import { readStatus } from './status.ts'

const never = new AbortController().signal

const service = (environment: string, plan: string) =>
  `{ owner: me, site: here, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [/srv] } }, ${environment}recovery: ${plan} }`
const plan = (of: string) => `{ recovers: [${of}], steps: [{ id: wait, do: { wait: { for: 1s } } }] }`
const catalogText = `version: 1
name: acme
sites: { here: {} }
services:
  trial: ${service('environment: staging, ', 'try')}
  shop: ${service('environment: production, ', 'back')}
  unsaid: ${service('', 'back')}
plans: { try: ${plan('trial')}, back: ${plan('shop, unsaid')} }
maintenance:
  timeZone: Europe/Berlin
  windows:
    - { title: of staging, environments: [staging], days: [sat], from: '01:00', to: '02:00' }
    - { title: of production, services: [shop], days: [sun], from: '02:00', to: '04:00' }
    - { title: of staging and production, sites: [here], days: [mon], from: '02:00', to: '04:00' }
accepted:
  - { lint: no-plan, of: trial, because: of staging, by: me, until: 2099-01-01 }
  - { lint: nothing-checked, of: back, because: of production, by: me, until: 2099-01-01 }
  - { lint: no-plan, of: elsewhere, because: of staging and production, by: me, until: 2099-01-01 }
`

async function catalogFile() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-environment-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'holdfast.yaml')
  await writeFile(file, catalogText)
  return file
}

test.each([
  ['staging', ['trial'], ['try']],
  ['production', ['shop', 'unsaid'], ['back']],
] as const)('status, doctor, checklist and report are of the services in %s alone', async (environment, services, plans) => {
  const file = await catalogFile()
  const catalog = await loadRunCatalog(file, never)
  expect(servicesIn(catalog, environment)).toEqual(services)
  const named = (reports: readonly { readonly service: string }[]) => [...new Set(reports.map((report) => report.service))]
  expect(named((await readStatus(catalog, { services: servicesIn(catalog, environment) }, never)).services)).toEqual(services)
  const { complaints, looked } = await diagnose(file, { environment }, never)
  const about = complaints.flatMap((each) => (each.code === 'objective' ? each.report.service : []))
  expect([...new Set(about)]).toEqual(services)
  expect(new Set(complaints.flatMap((each) => (each.code === 'drill-due' ? each.drill.plan : [])))).toEqual(new Set(plans))
  expect(looked).toMatchObject({ services: services.length, plans: plans.length })
  const { items } = await checkReadiness(catalog, { services: servicesIn(catalog, environment) }, never)
  const objectives = items.find(({ code }) => code === 'objectives')
  expect(objectives?.answers.map(({ of }) => of)).toEqual(services)
  const period = { from: new Date('2026-01-01T00:00:00Z'), to: new Date() }
  const facts = await gatherReport(catalog, period, { at: new Date(), host: 'h', version: 'v', environment }, never)
  expect(named(facts.status.services)).toEqual(services)
  expect(named(facts.copies)).toEqual(services)
  expect(facts.environment).toBe(environment)
  expect(facts.maintenance.windows.map(({ title }) => title)).toEqual([`of ${environment}`, 'of staging and production'])
  expect(facts.accepted.map(({ because }) => because)).toEqual([`of ${environment}`, 'of staging and production'])
  expect(JSON.stringify(documentOf(facts))).toContain('mon 02:00–04:00 (Europe/Berlin)')
})

test('an environment without services is a mistake: nothing would be looked at', async () => {
  const catalog = await loadRunCatalog(await catalogFile(), never)
  expect(() => servicesIn(catalog, 'development')).toThrow(/no service of .*holdfast\.yaml is in development/)
  expect(servicesIn(catalog)).toEqual(['trial', 'shop', 'unsaid'])
})

test('drills that are due are run of one environment, and a mistaken one ends none that was left', async () => {
  const file = await catalogFile()
  const catalog = await loadRunCatalog(file, never)
  {
    // A drill whose process was killed.
    const request = { catalog, name: 'try', mode: 'sandbox', requestedBy: 'drill run --due' } as const
    const handler = () => new Promise<never>(() => {})
    await using engine = openLocalEngine({ directory: stateDirectory(file), handler })
    await engine.submit((await prepareDrill(request, never)).spec)
  }
  const state = async () => {
    await using engine = openRunsAt(file)
    return (await engine.list()).map((run) => run.state)
  }
  const run = (environment: ServiceEnvironment) => runDueDrills(catalog, { environment }, { onEvent: () => {} }, never)
  await expect(run('development')).rejects.toMatchObject({ code: 'usage' })
  expect(await state()).toEqual(['interrupted'])
  const { runs, gamedays, aborted, known } = await run('staging')
  expect(runs.map(({ drill }) => drill.plan)).toEqual(['try'])
  expect(gamedays.map(({ plan: name }) => name)).toEqual(['try'])
  expect([aborted.length, known]).toEqual([1, 2])
})
