import {
  plansIn,
  requireValid,
  servicesIn,
  type Catalog,
  type CatalogWarning,
  type OpenMaintenance,
  type ServiceEnvironment,
} from '../catalog/index.ts'
import type { RunView } from '../durable/index.ts'
import type { ObjectiveStatus, Reason, StatusFinding } from '../objectives/index.ts'
import { dueDrills, type DueDrill } from './drill/due.ts'
import { findingsOf } from './drill/findings.ts'
import { askHistory } from './drill/history.ts'
import type { KnownFinding } from './drill/known-findings.ts'
import { checkRunCatalog } from './recovery/load-catalog.ts'
import { openRunsAt } from './recovery/run-views.ts'
import { readRepositories, statusOf, type ServiceReport, type StatusReport } from './status.ts'
import type { LedgerWriter } from '../ledger/index.ts'
import type { GroupReport } from './status/groups.ts'

/** `critical`: a recovery now would fail, or one lies half done. `serious`: nobody could promise that it works. `minor`: to be seen to. */
export type Severity = 'critical' | 'serious' | 'minor'

/** Something that is wrong now. */
export type Complaint = { readonly severity: Severity } & (
  | { readonly code: 'nothing-declared' }
  | { readonly code: 'repository-unseen'; readonly repository: string; readonly because: string }
  | { readonly code: 'run-interrupted'; readonly runId: string; readonly state: RunView['state'] }
  | { readonly code: 'objective'; readonly objective: 'rpo' | 'rto'; readonly report: ServiceReport }
  | { readonly code: 'dependencies'; readonly report: ServiceReport }
  | { readonly code: 'group'; readonly report: GroupReport }
  | { readonly code: 'evidence'; readonly finding: StatusFinding }
  | { readonly code: 'drill-due'; readonly drill: DueDrill }
  | { readonly code: 'drill-finding'; readonly finding: KnownFinding; readonly overdue: boolean }
  /** Evidence by keys that the catalog does not name. `named`: how many it names; with none, everybody's counts. */
  | { readonly code: 'ledger-key'; readonly repository: string; readonly writer: LedgerWriter; readonly named: number }
  | { readonly code: 'weakness'; readonly lint: string; readonly warnings: readonly CatalogWarning[] }
)

export interface Diagnosis {
  readonly time: Date
  readonly catalog: { readonly name: string; readonly file: string; readonly hash: string }
  /** The worst first. */
  readonly complaints: readonly Complaint[]
  /** What was looked at: so that "nothing found" can be told from "nothing looked at". */
  readonly looked: { readonly services: number; readonly repositories: number; readonly plans: number; readonly runs: number }
}

/**
 * Looks at everything that Holdfast can know from here, or at the services of one environment and the plans that recover them; of repositories, runs, keys and the
 * catalog it always tells all. Needs no service to be up. Throws `catalog-invalid` for a catalog that is wrong.
 */
export async function diagnose(
  path: string,
  { environment }: { readonly environment?: ServiceEnvironment | undefined },
  signal: AbortSignal,
): Promise<Diagnosis> {
  const check = await checkRunCatalog(path, signal)
  const { catalog, warnings } = requireValid(check)
  const services = servicesIn(catalog, environment)
  const plans = plansIn(catalog, environment)
  const now = new Date()
  await using repositories = await readRepositories(catalog, { now }, signal)
  const status = await statusOf(catalog, repositories, { now, services }, signal)
  const history = await askHistory(
    catalog,
    repositories,
    plans.map(({ name }) => name),
    signal,
  )
  const runs = await runsOf(catalog)
  const complaints: Complaint[] = [
    ...(status.services.length === 0 ? [{ severity: 'critical', code: 'nothing-declared' } as const] : []),
    ...status.repositories.flatMap(({ name, state, because = '' }): Complaint[] =>
      state === 'unseen' ? [{ severity: 'critical', code: 'repository-unseen', repository: name, because }] : [],
    ),
    ...runs.flatMap(({ runId, state }): Complaint[] =>
      state === 'interrupted' ? [{ severity: 'critical', code: 'run-interrupted', runId, state }] : [],
    ),
    ...status.services.flatMap(ofService),
    ...status.groups.flatMap((report): Complaint[] => {
      const { verdict, because } = report
      // What is not known of a member, or not proven, is said of the member.
      if (verdict === 'met' || because === 'not-known-of-all' || because === 'not-proven-of-all') return []
      return [{ severity: verdict === 'at-risk' ? 'minor' : 'serious', code: 'group', report }]
    }),
    ...unique(status.services.flatMap(({ findings }) => findings)).flatMap((finding): Complaint[] =>
      finding.code === 'unseen' ? [] : [{ severity: 'serious', code: 'evidence', finding }],
    ),
    ...dueDrills(plans, history, now).drills.flatMap((drill): Complaint[] =>
      drill.overdue ? [{ severity: 'serious', code: 'drill-due', drill }] : [],
    ),
    ...findingsOf(history).findings.flatMap((finding): Complaint[] => {
      if (finding.closed !== undefined) return []
      const overdue = Date.parse(finding.dueAt) < now.getTime()
      return [{ severity: overdue ? 'serious' : 'minor', code: 'drill-finding', finding, overdue }]
    }),
    ...unknownKeys(catalog, status),
    ...weaknesses(warnings),
  ]
  return {
    time: status.time,
    catalog: status.catalog,
    complaints: complaints.toSorted((a, b) => Number(isExcused(a)) - Number(isExcused(b)) || byUrgency(a, b)),
    looked: {
      services: status.services.length,
      repositories: status.repositories.filter(({ state }) => state === 'open').length,
      plans: plans.length,
      runs: runs.length,
    },
  }
}

async function runsOf(catalog: Catalog): Promise<RunView[]> {
  await using engine = openRunsAt(catalog.file)
  return await engine.list()
}

function ofService(report: ServiceReport): Complaint[] {
  const { withDependencies: chain, rpo, rto } = report
  // Without anything to recover from, the RPO says all there is to say.
  const objectives = ([['rpo', rpo], ...(rto.because === 'not-recoverable' ? [] : ([['rto', rto]] as const))] as const).flatMap(
    ([objective, status]): Complaint[] => {
      const severity = severityOf(status, report)
      return severity === undefined ? [] : [{ severity, code: 'objective', objective, report }]
    },
  )
  if (chain === undefined || chain.verdict === 'met') return objectives
  const known = chain.verdict === 'missed' || chain.unknown.includes(report.service)
  // That its own time is unknown was said already.
  if (chain.verdict === 'unknown' && known) return objectives
  return [...objectives, { severity: chain.verdict === 'at-risk' ? 'minor' : 'serious', code: 'dependencies', report }]
}

/** Why a recovery now would bring nothing back. */
const nothingToRecover: ReadonlySet<Reason> = new Set([
  'no-snapshot',
  'only-future-dated',
  'repository-damaged',
  'not-recoverable',
])

function severityOf({ verdict, because }: ObjectiveStatus, { tier = 2 }: ServiceReport): Severity | undefined {
  if (verdict === 'met') return undefined
  if (verdict === 'at-risk') return 'minor'
  return nothingToRecover.has(because) || (verdict === 'missed' && tier <= 1) ? 'critical' : 'serious'
}

/** One for each key, in the ledger that it wrote to last. Where the catalog names none, the first that signed is no news. */
function unknownKeys(catalog: Catalog, { repositories }: StatusReport): Complaint[] {
  const named = Object.keys(catalog.ledger.keys).length
  const found = new Map<string, Extract<Complaint, { code: 'ledger-key' }>>()
  for (const { name: repository, writers = [] } of repositories)
    for (const writer of writers) {
      const before = found.get(writer.key)?.writer
      if (writer.name !== undefined || (before && before.last >= writer.last)) continue
      found.set(writer.key, { severity: named === 0 ? 'minor' : 'serious', code: 'ledger-key', repository, writer, named })
    }
  const oldestFirst = [...found.values()].toSorted((a, b) => a.writer.first.getTime() - b.writer.first.getTime())
  return named === 0 ? oldestFirst.slice(1) : oldestFirst
}

/** One for each lint: a catalog of a thousand services would say the same a thousand times. */
function weaknesses(warnings: readonly CatalogWarning[]): Complaint[] {
  const byLint = Map.groupBy(
    warnings.filter(({ accepted }) => accepted === undefined),
    ({ code }) => code,
  )
  return [...byLint].map(([lint, found]) => ({ severity: 'minor', code: 'weakness', lint, warnings: found }))
}

function unique(findings: readonly StatusFinding[]): StatusFinding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()]
}

/**
 * The window of announced maintenance that excuses a complaint about a service in it: it is said, behind the rest, and nobody has to be woken for it. No window
 * excuses that there is nothing to recover from.
 */
export function excuseOf(complaint: Complaint): OpenMaintenance | undefined {
  if (complaint.code !== 'objective' && complaint.code !== 'dependencies') return undefined
  const { report } = complaint
  return nothingToRecover.has(report.rpo.because) || nothingToRecover.has(report.rto.because) ? undefined : report.maintenance
}

function isExcused(complaint: Complaint): boolean {
  return excuseOf(complaint) !== undefined
}

const severities: readonly Severity[] = ['critical', 'serious', 'minor']

/** Of equal ones those of the more important service; else as they were found. */
function byUrgency(a: Complaint, b: Complaint): number {
  return severities.indexOf(a.severity) - severities.indexOf(b.severity) || tierOf(a) - tierOf(b)
}

function tierOf(complaint: Complaint): number {
  if (!('report' in complaint)) return 0
  return complaint.code === 'group' ? 5 : (complaint.report.tier ?? 5)
}
