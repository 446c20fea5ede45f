import {
  maintenanceAt,
  withDependencies,
  type Catalog,
  type Group,
  type OpenMaintenance,
  type Service,
  type ServiceEnvironment,
} from '../catalog/index.ts'
import type { LedgerWriter } from '../ledger/index.ts'
import {
  serviceStatus,
  worstVerdict,
  type CopiesStatus,
  type DependencyStatus,
  type ServiceStatus,
  type TrendMonth,
  type Verdict,
} from '../objectives/index.ts'
import type { UnseenLedger } from './read-ledgers.ts'
import { codeVersion } from './recovery/code-version.ts'
import { copiesOf } from './status/copies.ts'
import { dependencyStatuses } from './status/dependencies.ts'
import { groupReports, groupsOf, type GroupReport, type Judged } from './status/groups.ts'
import { readRepository, type FactsQuestion, type RepositoryFacts, type UnseenRepository } from './status/repository-facts.ts'
import { gatherEvidence } from './status/service-evidence.ts'
import { readTrends } from './status/trends.ts'

/** The answer to "could we recover right now?" for every service of a catalog. The JSON of `holdfast status --json` is this. */
export interface StatusReport {
  readonly time: Date
  readonly catalog: { readonly name: string; readonly file: string; readonly hash: string }
  /** The worst of the services' and groups'; `unknown` when there are none. */
  readonly verdict: Verdict
  readonly services: readonly ServiceReport[]
  /** Those that one of the services is a member of. */
  readonly groups: readonly GroupReport[]
  readonly repositories: readonly RepositoryReport[]
  /** Ledgers that could not be read, or not whole, for the trends of the services; only where these were asked for. */
  readonly trendUnseen?: readonly UnseenLedger[]
}

export interface ServiceReport extends ServiceStatus {
  readonly service: string
  readonly owner?: string
  readonly tier?: number
  /** An announced window that is open now. The verdict is what it is without it. */
  readonly maintenance?: OpenMaintenance
  /** As the catalog says it. */
  readonly environment?: ServiceEnvironment
  /** Whether an objective is its own, or its tier's. */
  readonly declaredBy: Service['declaredBy']
  readonly plan?: string
  /** 3-2-1-1-0 by proof, of the data that it holds itself; it is no part of the verdict. Absent where it holds none. */
  readonly copies?: CopiesStatus
  /** What its recoveries and drills of the last twelve months achieved; only where it was asked for. */
  readonly trend?: readonly TrendMonth[]
  /** How long it would be down with all that it depends on; absent where it needs nothing that its own plan does not bring back. */
  readonly withDependencies?: DependencyStatus
}

export interface RepositoryReport {
  readonly name: string
  readonly location: string
  readonly state: 'open' | 'unseen'
  /** Why it could not be looked into. */
  readonly because?: string
  readonly snapshots?: number
  readonly ledgerRecords?: number
  /** Records that could not be counted as evidence. */
  readonly damagedRecords?: readonly number[]
  /** Whoever signed records of its ledger; without a name: the catalog does not know the key. */
  readonly writers?: readonly LedgerWriter[]
}

export interface StatusRequest {
  readonly now?: Date
  /** Absent: all. */
  readonly services?: readonly string[]
  /** With what each month achieved, which reads all runs of a year. */
  readonly trends?: boolean
}

/** Reads every repository of the catalog and judges every service, or only `services`. Needs no service to be up. */
export async function readStatus(
  catalog: Catalog,
  { now = new Date(), services = Object.keys(catalog.services), trends = false }: StatusRequest,
  signal?: AbortSignal,
): Promise<StatusReport> {
  const about = servicesBehind(catalog, services, groupsOf(catalog, services))
  await using repositories = await readRepositories(catalog, { now, about }, signal)
  const report = await statusOf(catalog, repositories, { now, services }, signal)
  if (!trends) return report
  const { byService, unseen } = await readTrends(catalog, repositories, { services, now }, signal)
  const withTrend = (service: ServiceReport) => ({ ...service, trend: byService.get(service.service) ?? [] })
  return { ...report, services: report.services.map(withTrend), trendUnseen: unseen }
}

/** The same of repositories that were read already. */
export async function statusOf(
  catalog: Catalog,
  { seen, unseen }: Pick<ReadRepositories, 'seen' | 'unseen'>,
  { now, services }: { readonly now: Date; readonly services: readonly string[] },
  signal?: AbortSignal,
): Promise<StatusReport> {
  const groups = groupsOf(catalog, services)
  const judged = new Map<string, Judged>()
  const findings = { catalog, seen, unseen, now, codeVersion: codeVersion() }
  for (const name of servicesBehind(catalog, services, groups)) {
    const service = catalog.services[name]
    if (!service) continue
    const evidence = await gatherEvidence(findings, service, signal)
    judged.set(name, { evidence, status: serviceStatus({ objectives: service.objectives, evidence, now }) })
  }
  const statuses = new Map([...judged].map(([name, { status }]) => [name, status]))
  const chains = dependencyStatuses(catalog, statuses)
  const maintenanceOf = maintenanceAt(catalog, now)
  const reports = services.flatMap((name) => {
    const [service, known] = [catalog.services[name], judged.get(name)]
    if (!service || !known) return []
    const copies = copiesOf(catalog, service, { evidence: known.evidence, seen, now })
    const maintenance = maintenanceOf(service)
    return [
      {
        ...serviceReport(service, known.status, chains.get(name)),
        ...(maintenance ? { maintenance } : {}),
        ...(copies ? { copies } : {}),
      },
    ]
  })
  const ofGroups = groupReports(groups, judged, now)
  return {
    time: now,
    catalog: { name: catalog.name, file: catalog.file, hash: catalog.hash },
    verdict: worstVerdict([...reports, ...ofGroups].map(({ verdict }) => verdict)),
    services: reports,
    groups: ofGroups,
    repositories: repositoryReports(catalog, seen, unseen),
  }
}

/** What verdicts on these services rest on: they, the members of their groups, and all that these depend on. */
function servicesBehind(catalog: Catalog, services: readonly string[], groups: readonly Group[]): ReadonlySet<string> {
  return withDependencies(catalog, [...services, ...groups.flatMap(({ members }) => members)])
}

/** A service that is back while what it needs is not is still down: its verdict is the worse of both. */
function serviceReport(service: Service, status: ServiceStatus, chain: DependencyStatus | undefined): ServiceReport {
  return {
    service: service.name,
    ...(service.owner === undefined ? {} : { owner: service.owner }),
    ...(service.tier === undefined ? {} : { tier: service.tier }),
    ...(service.environment === undefined ? {} : { environment: service.environment }),
    declaredBy: service.declaredBy,
    ...(service.recovery === undefined ? {} : { plan: service.recovery }),
    ...status,
    ...(chain ? { withDependencies: chain, verdict: worstVerdict([status.verdict, chain.verdict]) } : {}),
  }
}

/** All repositories of a catalog, as far as they could be read. Disposing it closes them. */
export interface ReadRepositories extends AsyncDisposable {
  readonly seen: readonly RepositoryFacts[]
  readonly unseen: readonly UnseenRepository[]
}

export async function readRepositories(
  catalog: Catalog,
  question: FactsQuestion,
  signal?: AbortSignal,
): Promise<ReadRepositories> {
  const stack = new AsyncDisposableStack()
  const seen: RepositoryFacts[] = []
  const unseen: UnseenRepository[] = []
  try {
    for (const name of Object.keys(catalog.repositories)) {
      const facts = await readRepository(catalog, name, question, signal)
      if ('because' in facts) unseen.push(facts)
      else seen.push(stack.use(facts))
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
  return { seen, unseen, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

function repositoryReports(
  catalog: Catalog,
  seen: readonly RepositoryFacts[],
  unseen: readonly UnseenRepository[],
): RepositoryReport[] {
  return Object.values(catalog.repositories).map(({ name, location }) => {
    const facts = seen.find((candidate) => candidate.name === name)
    if (!facts) return { name, location, state: 'unseen', because: unseen.find((entry) => entry.name === name)?.because ?? '' }
    return {
      name,
      location,
      state: 'open',
      snapshots: facts.snapshots.length,
      ledgerRecords: facts.records,
      damagedRecords: facts.damagedRecords,
      writers: facts.writers,
    }
  })
}
