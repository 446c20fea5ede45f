import type { Catalog, Maintenance, ServiceEnvironment } from '../../catalog/index.ts'
import type { Json } from '../../kernel/index.ts'
import type {
  EvidenceBody,
  EvidenceKind,
  EvidenceRecord,
  LedgerHead,
  LedgerRecord,
  LedgerView,
  LedgerWriter,
} from '../../ledger/index.ts'
import { askLedgers } from '../ask-ledgers.ts'
import { findingsOf } from '../drill/findings.ts'
import { historyOf, type FoundRecord } from '../drill/history.ts'
import type { KnownFinding } from '../drill/known-findings.ts'
import { experimentsByRun, recoveryShown } from '../recovery-shown.ts'
import type { UnseenLedger } from '../read-ledgers.ts'
import { readRepositories, statusOf, type StatusReport } from '../status.ts'
import { scopeOf } from './scope.ts'

/** From the first to the second moment, which is not in it. */
export interface Period {
  readonly from: Date
  readonly to: Date
}

/** A record, and where it stands. A run that is on record in several places is here once, with all of them. */
export interface OnRecord<Kind extends EvidenceKind> {
  readonly time: Date
  readonly service?: string
  readonly host: string
  readonly body: EvidenceBody<Kind>
  readonly records: readonly { readonly repository: string; readonly seq: number }[]
}

/** What a run of a plan shows, where it was a part of an experiment together with that. */
export interface ReportedRun extends OnRecord<'recovery'> {
  readonly shown: Pick<ReturnType<typeof recoveryShown>, 'outcome' | 'rtaMs' | 'checks' | 'checksFailed' | 'verdict'>
}

/** Its service is that of the backup that it is from, where it names none itself. */
export interface ReportedRestore extends OnRecord<'restore'> {
  /** `files`, `postgres`; absent: nobody knows. */
  readonly source?: string
}

/** A ledger that the report was made from. */
export interface ReportedLedger {
  readonly repository: string
  readonly id: string
  readonly records: number
  readonly head?: LedgerHead
  readonly writers: readonly LedgerWriter[]
  /** Records that count for nothing: those that are damaged, and of those that the report read the ones by nobody who is known. */
  readonly uncounted: number
}

export interface DeclaredCopies {
  readonly service: string
  /** What of it is backed up. */
  readonly sources: readonly ('files' | 'postgres')[]
  readonly to: readonly {
    readonly repository: string
    readonly site: string
    readonly media: string
    /** On another site than the service's. */
    readonly offSite: boolean
    /** Nothing in it can be changed or deleted for so long, as the catalog says. */
    readonly immutableForMs?: number
  }[]
}

/** All that a report says, and its JSON. Everything is from ledgers and the catalog; what could not be seen is named. */
export interface ReportFacts {
  readonly period: Period
  readonly madeAt: Date
  readonly madeOn: { readonly host: string; readonly version: string }
  /** It is of the services of this one, and of those that nobody knows the environment of; of repositories it tells all. */
  readonly environment?: ServiceEnvironment
  /** As of when the report was made: what a repository holds now says nothing of what it held then. */
  readonly status: StatusReport
  readonly runs: readonly ReportedRun[]
  readonly restores: readonly ReportedRestore[]
  readonly backups: readonly OnRecord<'backup'>[]
  readonly checks: readonly OnRecord<'check'>[]
  readonly experiments: readonly OnRecord<'experiment'>[]
  readonly removals: readonly OnRecord<'forget'>[]
  /** Where the catalog says that services are backed up to. */
  readonly copies: readonly DeclaredCopies[]
  /** Of drills, whenever they were found. */
  readonly findings: readonly KnownFinding[]
  readonly accepted: Catalog['accepted']
  /** Windows that were announced, as the catalog says them now; of single ones those that touch the period. */
  readonly maintenance: Maintenance
  readonly ledgers: readonly ReportedLedger[]
  readonly unseen: readonly UnseenLedger[]
}

/** Kinds that a report tells of, but for recoveries: these have findings besides, which are told whenever they were found. */
const kindsOfPeriod = ['restore', 'backup', 'check', 'experiment', 'forget'] as const

/** Gathers what a report says. A repository that cannot be looked into is named in it, and is no failure. */
export async function gatherReport(
  catalog: Catalog,
  period: Period,
  made: {
    readonly at: Date
    readonly host: string
    readonly version: string
    readonly environment?: ServiceEnvironment | undefined
  },
  signal: AbortSignal,
): Promise<ReportFacts> {
  const { services, plans, concerns, concernsRun, accepted, maintenance } = scopeOf(catalog, period, made.environment)
  await using repositories = await readRepositories(catalog, { now: made.at }, signal)
  const found: Found = new Map()
  const ledgers: ReportedLedger[] = []
  const history: FoundRecord[] = []
  const { answers, unseen } = await askLedgers(catalog, repositories, (view) => readLedger(view, period), signal)
  for (const { repository, opened, answer } of answers) {
    for (const each of answer.records) take(found, repository, each)
    history.push(...answer.ofDrills.map((record) => ({ repository, record })))
    ledgers.push({ repository, id: opened.id, ...answer.about })
  }
  const all = [...found.values()].toSorted((a, b) => a.time.getTime() - b.time.getTime())
  const ofKind = <Kind extends EvidenceKind>(kind: Kind) =>
    all.filter((one) => one.kind === kind).map(({ kind: _kind, ...one }) => one as unknown as OnRecord<Kind>)
  const ofServices = <Kind extends EvidenceKind>(kind: Kind) => ofKind(kind).filter(({ service }) => concerns([service]))
  const experiments = ofKind('experiment')
  const byRun = experimentsByRun(experiments as unknown as EvidenceRecord<'experiment'>[])
  return {
    period,
    madeAt: made.at,
    madeOn: { host: made.host, version: made.version },
    ...(made.environment === undefined ? {} : { environment: made.environment }),
    status: await statusOf(catalog, repositories, { now: made.at, services }, signal),
    runs: ofKind('recovery')
      .filter(concernsRun)
      .map((run) => ({ ...run, shown: recoveryShown(run.body, byRun) })),
    restores: ofServices('restore'),
    backups: ofServices('backup'),
    checks: ofKind('check'),
    experiments: experiments.filter(({ body }) => concerns(body.services)),
    removals: ofKind('forget'),
    copies: declaredCopies(catalog).filter(({ service }) => concerns([service])),
    findings: findingsOf(historyOf(history, plans, unseen)).findings,
    accepted,
    maintenance,
    ledgers,
    unseen,
  }
}

/** What one ledger says of the period, and of drills whenever they were. Records that do not count are counted. */
function readLedger(view: LedgerView, period: Period) {
  const uncounted = new Set<number>()
  const onDamage = ({ seq }: { readonly seq: number }) => uncounted.add(seq)
  // A period may have a million: what a report does not say is not kept of them.
  const placed = (record: LedgerRecord): PlacedRecord[] => {
    if (record.kind === 'unknown') return []
    const { kind, service, time, host, seq, body } = record
    const said = { kind, time, host, seq, body } as PlacedRecord['record']
    if (record.kind !== 'restore') return [{ record: said, service }]
    const backup = view.about('backup', [record.body.snapshot], onDamage).at(-1)
    const source = record.body.source ?? backup?.body.source
    return [{ record: said, service: service ?? backup?.service, ...(source === undefined ? {} : { source }) }]
  }
  const records: PlacedRecord[] = []
  for (const record of view.records({ kinds: kindsOfPeriod, ...period, onDamage })) records.push(...placed(record))
  const ofDrills: LedgerRecord[] = []
  for (const record of view.records({ kinds: ['recovery', 'drill-finding'], onDamage })) {
    const isRun = record.kind === 'recovery'
    if (isRun && period.from <= record.time && record.time < period.to) records.push(...placed(record))
    if (!isRun || record.body.drill?.findings.length) ofDrills.push(record)
  }
  const { count, head, writers } = view
  return {
    records,
    ofDrills: ofDrills.toReversed(),
    about: { records: count, ...(head ? { head } : {}), writers, uncounted: uncounted.size },
  }
}

interface PlacedRecord {
  readonly record: { [Kind in EvidenceKind]: Pick<EvidenceRecord<Kind>, 'kind' | 'time' | 'host' | 'seq' | 'body'> }[EvidenceKind]
  readonly service: string | undefined
  readonly source?: string
}

function declaredCopies({ services, repositories }: Catalog): DeclaredCopies[] {
  return Object.values(services).flatMap((service) => {
    const to = (service.backup?.to ?? []).flatMap((name) => {
      const { site, media, immutableForMs } = repositories[name] ?? {}
      if (site === undefined || media === undefined) return []
      const offSite = site !== service.site
      return [{ repository: name, site, media, offSite, ...(immutableForMs === undefined ? {} : { immutableForMs }) }]
    })
    const sources = (['files', 'postgres'] as const).filter((source) => service.data[source] !== undefined)
    return sources.length > 0 ? [{ service: service.name, sources, to }] : []
  })
}

type Found = Map<string, OnRecord<EvidenceKind> & { records: { repository: string; seq: number }[]; kind: EvidenceKind }>

/** Of a run there is one record for each service in each repository. */
function take(found: Found, repository: string, { record, service, ...of }: PlacedRecord): void {
  const { kind, time, host, seq, body } = record
  const run = kind === 'recovery' || kind === 'experiment' ? record.body.runId : undefined
  // Of an experiment all services that it was about stand in each of its records.
  const key = run === undefined ? `${repository}\0${seq}` : `${kind}\0${run}\0${kind === 'experiment' ? '' : (service ?? '')}`
  const known = found.get(key)
  if (known) known.records.push({ repository, seq })
  else
    found.set(key, { kind, time, ...(service !== undefined && { service }), ...of, host, body, records: [{ repository, seq }] })
}

export function factsAsJson(facts: ReportFacts): Json {
  return JSON.parse(JSON.stringify(facts)) as Json
}
