import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import {
  createCatalogRepository,
  drillsDue,
  loadRunCatalog,
  prepareDrill,
  protectService,
  readStatus,
  runDrill,
  type DrillRequest,
  type DueReport,
} from '../../src/service/index.ts'
import { holdfast, temporaryFolder } from './holdfast.ts'

const day = 86_400_000

interface Parts {
  readonly steps?: readonly object[]
  readonly drill?: object
  readonly rto?: string
  /** Besides `back`. */
  readonly plans?: object
}

/** A folder of files, backed up, with a plan that brings it back. */
export async function drillShop(parts: Parts = {}) {
  const folder = await temporaryFolder('drill')
  const at = (name: string) => join(folder.path, name)
  await mkdir(at('data'))
  await writeFile(at('data/orders.csv'), 'one\n'.repeat(1000))
  await writeFile(at('password'), 'a password')
  const restore = {
    id: 'restore',
    do: { 'files.restore': { service: 'orders', target: at('back') } },
    check: { shell: { run: ['test', '-s', `${at('back')}/orders.csv`], effect: 'read-only' } },
  }
  const declare = ({ steps = [], drill, rto = '1h', plans = {} }: Parts) =>
    writeFile(
      at('holdfast.yaml'),
      stringify({
        version: 1,
        name: 'shop',
        sites: { hq: {}, away: {} },
        repositories: { nas: { url: 'repository', site: 'away', media: 'disk', password: { file: 'password' } } },
        services: {
          orders: {
            owner: 'Shop Team',
            site: 'hq',
            objectives: { rpo: '1h', rto },
            data: { files: { paths: [at('data')] } },
            backup: { to: 'nas' },
            recovery: 'back',
          },
        },
        plans: {
          back: { recovers: ['orders'], steps: [restore, ...steps], ...(drill === undefined ? {} : { drill }) },
          ...plans,
        },
      }),
    )
  await declare(parts)
  const run = (...args: string[]) => holdfast(args, { cwd: folder.path })
  const { signal } = new AbortController()
  const first = await loadRunCatalog(at('holdfast.yaml'))
  await (await createCatalogRepository(first, 'nas'))[Symbol.asyncDispose]()
  await protectService({ catalog: first, service: 'orders' }, () => {}, signal)
  return {
    at,
    declare,
    run,
    /** A drill in this process, which costs less than one in its own. */
    async drill(more: Partial<DrillRequest> = {}): Promise<PlanOutcome> {
      const catalog = await loadRunCatalog(at('holdfast.yaml'))
      const request = { catalog, name: 'orders', mode: 'sandbox', ...more } as const
      return (await runDrill(request, await prepareDrill(request, signal), {}, signal)).outcome
    },
    /** Everything that is there beside what the test put there. */
    async things() {
      const known = new Set(['data', 'password', 'holdfast.yaml', 'repository', '.holdfast'])
      const runs: string[] = await readdir(at('.holdfast/runs'), { recursive: true }).catch(() => [])
      return [
        ...(await readdir(folder.path)).filter((name) => !known.has(name)),
        ...runs.filter((path) => path.includes('sandbox')),
      ]
    },
    async rto() {
      const { services } = await readStatus(await loadRunCatalog(at('holdfast.yaml')), {}, signal)
      return services[0]?.rto
    },
    async due(days = 0): Promise<DueReport> {
      const catalog = await loadRunCatalog(at('holdfast.yaml'))
      return await drillsDue(catalog, { now: new Date(Date.now() + days * day) }, signal)
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
