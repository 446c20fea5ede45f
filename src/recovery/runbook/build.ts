import { exportSecret, type AnyAction } from '../../actions/index.ts'
import {
  dependencyOrder,
  dependentsOf,
  findService,
  holdsData,
  type ExternalDependency,
  planFor,
  withDependencies,
  type Catalog,
  type Service,
  type Site,
} from '../../catalog/index.ts'
import { quote } from '../../kernel/index.ts'
import { describeUrl } from '../../postgres/index.ts'
import { compilePlan } from '../compile.ts'
import { planHash } from '../plan.ts'
import { recoverLine } from './what-to-type.ts'
import type { Copy, Dependency, ProtectedData, Runbook } from './model.ts'
import { describeReference, pathText } from './secrets.ts'
import { rollbackOf, runbookSteps } from './steps.ts'

/** Which runbook: of the plan that recovers a service, or of another one that does. */
export interface RunbookOf {
  readonly service: string
  readonly plan?: string
}

/**
 * The runbook of a service's plan. Throws `unknown-service` and, when it has no such plan, `usage`. Reads nothing but what it is given.
 */
export function buildRunbook(
  catalog: Catalog,
  { service: name, plan: other }: RunbookOf,
  actions: readonly AnyAction[],
  version: string,
): Runbook {
  const service = findService(catalog, name)
  const plan = planFor(catalog, name, other)
  const which = { service, plan, isRecovery: plan.name === service.recovery }
  const compiled = compilePlan(plan)
  const steps = runbookSteps({ catalog, recover: recoverLine(which), declared: plan, compiled, actions })
  const dependencies = dependenciesOf(catalog, which)
  const protectedServices = [
    ...new Map([...plan.recovers.map((other) => findService(catalog, other)), service].map((s) => [s.name, s])).values(),
  ]
  const holders = protectedServices.some(holdsData) ? protectedServices : dependencies.map((dependency) => dependency.service)
  return {
    ...which,
    site: siteOf(catalog, service.site),
    ...tierOf(catalog, service),
    planHash: planHash(compiled, version),
    version,
    groups: Object.values(catalog.groups).filter(({ members }) => members.includes(name)),
    dependencies,
    external: externalOf(catalog, [which.service, ...dependencies.map(({ service }) => service)]),
    dependents: dependentsOf(catalog, name),
    data: holders.flatMap((holder) => dataOf(catalog, holder)),
    copies: copiesOf(catalog, holders),
    steps,
    rollback: rollbackOf(steps),
  }
}

function dependenciesOf(catalog: Catalog, { service, plan }: Pick<Runbook, 'service' | 'plan'>): Dependency[] {
  const needed = withDependencies(catalog, service.dependsOn)
  const recovered = new Set(plan.recovers)
  return dependencyOrder(catalog)
    .filter(({ name }) => needed.has(name))
    .map((dependency) => ({
      service: dependency,
      plan: recovered.has(dependency.name)
        ? { kind: 'here' }
        : dependency.recovery === undefined
          ? { kind: 'none' }
          : { kind: 'own', name: dependency.recovery },
    }))
}

function externalOf(catalog: Catalog, services: readonly Service[]): ExternalDependency[] {
  const names = new Set(services.flatMap(({ dependsOn }) => dependsOn))
  return Object.values(catalog.external).filter(({ name }) => names.has(name))
}

const walWords = {
  stream: 'WAL as it is written',
  synchronous: 'WAL, and commits wait for it',
  none: 'base backups only, no WAL',
}

function dataOf(catalog: Catalog, { name, data: { postgres, files } }: Service): ProtectedData[] {
  const found: ProtectedData[] = []
  if (postgres !== undefined) {
    const where =
      typeof postgres.url === 'string' ? describeUrl(postgres.url) : `its address is ${describeReference(postgres.url, catalog)}`
    found.push({ service: name, what: `PostgreSQL, ${where}; ${walWords[postgres.wal]}` })
  }
  if (files !== undefined) {
    const without = files.exclude.length === 0 ? '' : `, without ${files.exclude.join(', ')}`
    found.push({ service: name, what: `the files in ${files.paths.map((path) => pathText(path, catalog)).join(', ')}${without}` })
  }
  return found
}

/** The repositories that the services are backed up to, in the catalog's order; all of them for one that names none. */
function copiesOf(catalog: Catalog, services: readonly Service[]): Copy[] {
  const sites = new Set(services.map(({ site }) => site))
  const named = new Set(
    services.flatMap(({ backup }) => (backup && backup.to.length > 0 ? backup.to : Object.keys(catalog.repositories))),
  )
  return Object.values(catalog.repositories)
    .filter(({ name }) => named.has(name))
    .map((repository) => ({
      repository,
      site: siteOf(catalog, repository.site),
      sameSite: sites.has(repository.site),
      password: describeReference(repository.password, catalog),
      open: [
        `export RESTIC_REPOSITORY=${quote(repository.url)}`,
        exportSecret('RESTIC_PASSWORD', repository.password, catalog),
        'restic snapshots',
      ],
    }))
}

function tierOf({ tiers }: Catalog, { tier }: Service): Pick<Runbook, 'tier'> {
  const declared = tier === undefined ? undefined : tiers[String(tier)]
  return declared === undefined ? {} : { tier: declared }
}

function siteOf(catalog: Catalog, name: string): Site {
  return catalog.sites[name] ?? { name, hosts: [] }
}
