import type { Catalog } from '../../catalog/index.ts'
import type { EvidenceRecord, LedgerRecord } from '../../ledger/index.ts'
import type { PastRecovery, Runbook } from '../../recovery/index.ts'
import { readLedgers } from '../read-ledgers.ts'
import { experimentsByRun, recoveryShown, type ExperimentsByRun } from '../recovery-shown.ts'

const newestRecords = 20

export interface RecordedRecoveries {
  /** Newest first; a run that is in several ledgers once. */
  readonly recoveries: readonly PastRecovery[]
  /** Ledgers that could not be read, or not whole. */
  readonly unseen: readonly { readonly place: string; readonly because: string }[]
}

/** What the ledgers of these repositories say of recoveries of a service, or by its plan; of another plan than its recovery, only of that. */
export async function recordedRecoveries(
  catalog: Catalog,
  runbook: Pick<Runbook, 'service' | 'plan' | 'isRecovery'>,
  repositories: readonly string[],
  signal: AbortSignal,
): Promise<RecordedRecoveries> {
  const found: { readonly repository: string; readonly record: EvidenceRecord<'recovery'> }[] = []
  const experiments: EvidenceRecord<'experiment'>[] = []
  const left = new Map(repositories.map((name) => [name, newestRecords]))
  const onRecord = (repository: string, record: LedgerRecord) => {
    if (record.kind === 'experiment') experiments.push(record)
    if (record.kind !== 'recovery' || !isOf(record, runbook)) return undefined
    found.push({ repository, record })
    const more = (left.get(repository) ?? 0) - 1
    left.set(repository, more)
    return more === 0 ? 'enough' : undefined
  }
  const unseen = await readLedgers(catalog, { repositories, kinds: ['recovery', 'experiment'], onRecord }, signal)
  const byRun = experimentsByRun(experiments)
  const runs = new Map(found.map(({ repository, record }) => [record.body.runId, pastRecovery(repository, record, byRun)]))
  return {
    recoveries: [...runs.values()].toSorted((a, b) => b.time.getTime() - a.time.getTime()),
    unseen: unseen.map(({ repository, because }) => ({ place: repository, because })),
  }
}

/** A run of its plan brought it back, whichever of the plan's services the record was written for. */
function isOf(
  { service, body }: EvidenceRecord<'recovery'>,
  { service: { name }, plan, isRecovery }: Pick<Runbook, 'service' | 'plan' | 'isRecovery'>,
): boolean {
  return body.plan === plan.name || (isRecovery && service === name)
}

function pastRecovery(
  repository: string,
  { seq, time, body }: EvidenceRecord<'recovery'>,
  experiments: ExperimentsByRun,
): PastRecovery {
  const { mode, form, planHash, rpaMs } = body
  const { outcome, rtaMs, checks, checksFailed, verdict } = recoveryShown(body, experiments)
  return {
    time,
    mode: mode === 'real' ? 'real' : 'drill',
    ...(form === undefined ? {} : { form }),
    outcome,
    planHash,
    ...(rpaMs === undefined ? {} : { rpaMs }),
    ...(rtaMs === undefined ? {} : { rtaMs }),
    verdict,
    checks,
    checksFailed,
    record: { repository, seq },
  }
}
