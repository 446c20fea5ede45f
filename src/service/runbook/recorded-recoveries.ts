import type { Catalog } from '../../catalog/index.ts'
import { isHoldfastError } from '../../kernel/index.ts'
import type { EvidenceRecord } from '../../ledger/index.ts'
import type { PastRecovery, Runbook } from '../../recovery/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { openRepositoryLedger } from '../record-evidence.ts'

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
  const runs = new Map<string, PastRecovery>()
  const unseen: { place: string; because: string }[] = []
  for (const name of repositories) {
    let damaged = 0
    try {
      await using repository = await openCatalogRepository(catalog, name, signal)
      const filter = { kinds: ['recovery'], order: 'newest-first', onDamage: () => damaged++ } as const
      let left = newestRecords
      for await (const record of openRepositoryLedger(repository, catalog.file).records(filter, signal)) {
        if (record.kind !== 'recovery' || !isOf(record, runbook)) continue
        runs.set(record.body.runId, pastRecovery(name, record))
        if (--left === 0) break
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!isHoldfastError(error) || error.code === 'internal') throw error
      unseen.push({ place: name, because: error.message })
    }
    if (damaged > 0) unseen.push({ place: name, because: `${damaged} records of its ledger are damaged` })
  }
  return { recoveries: [...runs.values()].toSorted((a, b) => b.time.getTime() - a.time.getTime()), unseen }
}

/** A run of its plan brought it back, whichever of the plan's services the record was written for. */
function isOf(
  { service, body }: EvidenceRecord<'recovery'>,
  { service: { name }, plan, isRecovery }: Pick<Runbook, 'service' | 'plan' | 'isRecovery'>,
): boolean {
  return body.plan === plan.name || (isRecovery && service === name)
}

function pastRecovery(repository: string, { seq, time, body }: EvidenceRecord<'recovery'>): PastRecovery {
  const { mode, form, outcome, planHash, rpaMs, rtaMs, verdict, compared } = body
  return {
    time,
    mode: mode === 'real' ? 'real' : 'drill',
    ...(form === undefined ? {} : { form }),
    outcome,
    planHash,
    ...(rpaMs === undefined ? {} : { rpaMs }),
    ...(rtaMs === undefined ? {} : { rtaMs }),
    verdict,
    checks: compared.checks,
    checksFailed: compared.checksFailed,
    record: { repository, seq },
  }
}
