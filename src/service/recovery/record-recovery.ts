import type { Catalog } from '../../catalog/index.ts'
import type { Json } from '../../kernel/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import type { PlanInput, PlanOutcome } from '../../recovery/index.ts'
import { drillRecord } from '../drill/record.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { openRepositoryLedger, recordEvidence } from '../record-evidence.ts'
import { judgeRecovery, outputsOf } from './judge-recovery.ts'

/**
 * Puts the outcome of a recovery or a drill into the ledger of every repository that its services are backed up to. Looks first whether it
 * is there: a run that crashed after writing it comes here again. Gives `[{repository, service, seq}]`.
 */
export async function recordRecovery(
  catalog: Catalog,
  outcome: PlanOutcome,
  { runId, input }: { readonly runId: string; readonly input: PlanInput },
  signal: AbortSignal,
): Promise<Json> {
  const where: { repository: string; service: string; seq: number }[] = []
  for (const name of input.plan.recovers) {
    for (const repository of placesOf(catalog, name, input)) {
      await using opened = await openCatalogRepository(catalog, repository, signal)
      const ledger = openRepositoryLedger(opened, catalog.file)
      let known: number | undefined
      for await (const record of ledger.records(
        { kinds: ['recovery'], service: name, limit: 20, order: 'newest-first' },
        signal,
      )) {
        if (record.kind === 'recovery' && record.body.runId === runId) known = record.seq
      }
      const body = recoveryRecord(catalog, name, runId, input, outcome)
      const context = { service: name, catalogPath: catalog.file, catalogHash: catalog.hash }
      const seq = known ?? (await recordEvidence(opened, 'recovery', body, context, signal)).seq
      where.push({ repository, service: name, seq })
    }
  }
  return where
}

/** A drill of services that are backed up nowhere is recorded in every repository: else nobody could know that it took place. */
function placesOf(catalog: Catalog, name: string, { plan, drill }: PlanInput): readonly string[] {
  const own = catalog.services[name]?.backup?.to ?? []
  const none = plan.recovers.every((service) => (catalog.services[service]?.backup?.to ?? []).length === 0)
  return drill !== undefined && none ? Object.keys(catalog.repositories) : own
}

/** What the ledger keeps of a run, for one of the services that it recovered. */
function recoveryRecord(
  catalog: Catalog,
  service: string,
  runId: string,
  input: PlanInput,
  outcome: PlanOutcome,
): EvidenceBody<'recovery'> {
  const { timing } = outcome
  const { detect, prepare, restore, replay, verify } = timing.phases
  const declared = catalog.services[service]?.objectives
  const { ended, rpaMs, checks, checksFailed, verdict } = judgeRecovery(catalog, service, outcome)
  const reachedLsn = outputsOf(outcome).find(({ reachedLsn }) => typeof reachedLsn === 'string')?.reachedLsn
  return {
    runId,
    plan: input.plan.name,
    planHash: input.drill?.planHash ?? input.planHash,
    mode: input.drill === undefined ? 'real' : `drill-${input.drill.mode}`,
    outcome: ended,
    target: { ...input.target, ...(typeof reachedLsn === 'string' ? { reachedLsn } : {}) },
    onset: timing.onsetAt,
    ...(rpaMs === undefined || ended !== 'completed' ? {} : { rpaMs }),
    ...(ended === 'completed' ? { rtaMs: timing.rtaMs } : {}),
    declared: declared === undefined ? {} : { rpoMs: declared.rpoMs, rtoMs: declared.rtoMs },
    phases: { detectMs: detect, prepareMs: prepare, restoreMs: restore, replayMs: replay, verifyMs: verify },
    compared: { checks, checksFailed },
    verdict,
    ...(input.drill === undefined ? {} : { drill: drillRecord(input, input.drill, outcome) }),
  }
}
