import type { Catalog } from '../../catalog/index.ts'
import type { EvidenceBody, EvidenceRecord, LedgerRecord, LedgerView } from '../../ledger/index.ts'
import { askLedgers, type OpenRepositories } from '../ask-ledgers.ts'
import { notWhole, readLedgers, type UnseenLedger } from '../read-ledgers.ts'
import { experimentsByRun, recoveryShown, type ExperimentsByRun } from '../recovery-shown.ts'

type RecoveryBody = EvidenceBody<'recovery'>

/** A run of a plan that is on record: a drill, or the real thing, which shows more than any drill. */
export interface RecordedDrill {
  readonly runId: string
  readonly plan: string
  readonly planHash: string
  readonly time: Date
  readonly mode: RecoveryBody['mode']
  readonly form?: NonNullable<RecoveryBody['form']>
  readonly restoreFrom?: string
  readonly outcome: RecoveryBody['outcome']
  readonly onset?: string
  /** By service: a run is on record once for each. */
  readonly services: readonly RecordedService[]
  readonly phases: RecoveryBody['phases']
  readonly drill?: NonNullable<RecoveryBody['drill']>
  readonly findings: NonNullable<RecoveryBody['drill']>['findings']
  /** Where it is on record. */
  readonly records: readonly { readonly repository: string; readonly seq: number }[]
}

export interface RecordedService extends Pick<RecoveryBody, 'rpaMs' | 'rtaMs' | 'declared' | 'compared' | 'verdict'> {
  readonly service: string
}

interface Closing {
  readonly finding: string
  readonly at: Date
  readonly by: string
  readonly why: string
}

export interface DrillHistory {
  /** Newest first. */
  readonly drills: readonly RecordedDrill[]
  /** Oldest first. */
  readonly closings: readonly Closing[]
  /** Ledgers that could not be read, or not whole. */
  readonly unseen: readonly UnseenLedger[]
}

/** It came to its end, and something was looked at and was right, for each of its services. */
export function isGood({ outcome, services }: RecordedDrill): boolean {
  return outcome === 'completed' && services.every(({ compared }) => compared.checks > 0 && compared.checksFailed === 0)
}

/** Kinds of records that a history is made of. */
export const historyKinds = ['recovery', 'experiment', 'drill-finding'] as const

/** A record, and the repository whose ledger has it. */
export interface FoundRecord {
  readonly repository: string
  readonly record: LedgerRecord
}

/** Nothing on record can be about none: it is not read. */
const ofNoPlan: DrillHistory = { drills: [], closings: [], unseen: [] }

/** What the ledgers of a catalog's repositories say of these plans. */
export async function drillHistory(catalog: Catalog, plans: readonly string[], signal: AbortSignal): Promise<DrillHistory> {
  if (plans.length === 0) return ofNoPlan
  const records: FoundRecord[] = []
  const onRecord = (repository: string, record: LedgerRecord): undefined => void records.push({ repository, record })
  const unseen = await readLedgers(
    catalog,
    { repositories: Object.keys(catalog.repositories), kinds: historyKinds, onRecord },
    signal,
  )
  return historyOf(records, plans, unseen)
}

/** The same of repositories that are open already. */
export async function askHistory(
  catalog: Catalog,
  repositories: OpenRepositories,
  plans: readonly string[],
  signal: AbortSignal,
): Promise<DrillHistory> {
  if (plans.length === 0) return ofNoPlan
  const work = (view: LedgerView) => {
    let damaged = 0
    const records = [...view.records({ kinds: historyKinds, order: 'newest-first', onDamage: () => damaged++ })]
    return { records, damaged }
  }
  const { answers, unseen } = await askLedgers(catalog, repositories, work, signal)
  const records = answers.flatMap(({ repository, answer }) => answer.records.map((record) => ({ repository, record })))
  const damaged = answers.flatMap(({ repository, answer }) => notWhole(repository, answer.damaged))
  return historyOf(records, plans, [...unseen, ...damaged])
}

/** The same of records that were read already, each ledger's newest first. */
export function historyOf(
  records: readonly FoundRecord[],
  plans: readonly string[],
  unseen: readonly UnseenLedger[],
): DrillHistory {
  const found: { readonly repository: string; readonly record: EvidenceRecord<'recovery'> }[] = []
  const experiments: EvidenceRecord<'experiment'>[] = []
  const closings = new Map<string, Closing>()
  for (const { repository, record } of records) {
    if (record.kind === 'recovery' && plans.includes(record.body.plan)) {
      found.push({ repository, record })
    } else if (record.kind === 'experiment') {
      experiments.push(record)
    } else if (record.kind === 'drill-finding' && plans.includes(record.body.plan)) {
      const { finding, by, why } = record.body
      closings.set(`${finding}\0${by}\0${why}`, { finding, at: record.time, by, why })
    }
  }
  const byRun = experimentsByRun(experiments)
  const runs = new Map<string, RecordedDrill>()
  for (const { repository, record } of found) {
    const { runId } = record.body
    runs.set(runId, withRecord(runs.get(runId), repository, record, byRun))
  }
  return {
    drills: [...runs.values()].toSorted((a, b) => b.time.getTime() - a.time.getTime()),
    closings: [...closings.values()].toSorted((a, b) => a.at.getTime() - b.at.getTime()),
    unseen,
  }
}

function withRecord(
  known: RecordedDrill | undefined,
  repository: string,
  record: EvidenceRecord<'recovery'>,
  experiments: ExperimentsByRun,
): RecordedDrill {
  const { runId, plan, planHash, mode, form, restoreFrom, onset, phases, drill, rpaMs, declared, compared } = record.body
  const { outcome, rtaMs, checks, checksFailed, verdict } = recoveryShown(record.body, experiments)
  const service: RecordedService = {
    service: record.service ?? '-',
    ...(rpaMs === undefined ? {} : { rpaMs }),
    ...(rtaMs === undefined ? {} : { rtaMs }),
    declared,
    compared: { ...compared, checks, checksFailed },
    verdict,
  }
  return {
    runId,
    plan,
    planHash,
    time: known?.time ?? record.time,
    mode,
    ...(form === undefined ? {} : { form }),
    ...(restoreFrom === undefined ? {} : { restoreFrom }),
    outcome,
    ...(onset === undefined ? {} : { onset }),
    services: [service, ...(known?.services.filter((other) => other.service !== service.service) ?? [])],
    phases,
    ...(drill === undefined ? {} : { drill }),
    findings: drill?.findings ?? [],
    records: [{ repository, seq: record.seq }, ...(known?.records ?? [])],
  }
}
