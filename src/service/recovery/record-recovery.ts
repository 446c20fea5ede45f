import type { Catalog } from '../../catalog/index.ts'
import type { Json } from '../../kernel/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import type { PlanInput, PlanOutcome } from '../../recovery/index.ts'
import { drillRecord } from '../drill/record.ts'
import { placeAsJson, recordOnce } from '../record-once.ts'
import { judgeRecovery, outputsOf } from './judge-recovery.ts'
import { restoredIn } from './restored-in.ts'

/**
 * Puts the outcome of a recovery or a drill into the ledger of every repository that its services are backed up to; a service that is backed
 * up to none, having no data, is on record in all of the catalog's. Looks first whether it is there: a run that crashed after writing it
 * comes here again. Gives `[{repository, service, seq}]`.
 *
 * In a disaster one of the repositories may be gone too. It is left out, and named with the reason; throws when no repository at all took
 * the record of a service.
 */
export async function recordRecovery(
  catalog: Catalog,
  outcome: PlanOutcome,
  { runId, input }: { readonly runId: string; readonly input: PlanInput },
  signal: AbortSignal,
): Promise<Json> {
  const where: Json[] = []
  for (const name of input.plan.recovers) {
    const service = catalog.services[name]
    if (service === undefined) continue
    const body = recoveryRecord(catalog, name, runId, input, outcome)
    const places = await recordOnce(catalog, { kind: 'recovery', service, body }, signal)
    where.push(...places.map(placeAsJson))
    if (places.length > 0 && places.every((place) => 'error' in place)) throw places.find((place) => 'error' in place)?.error
  }
  return where
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
  const { detect, decide, prepare, restore, replay, verify } = timing.phases
  const declared = catalog.services[service]?.objectives
  const { ended, rpaMs, checks, checksFailed, verdict } = judgeRecovery(catalog, service, outcome)
  const restored = restoredIn(outcome.steps)
  const reachedLsn = outputsOf(outcome).find(({ reachedLsn }) => typeof reachedLsn === 'string')?.reachedLsn
  return {
    runId,
    plan: input.plan.name,
    planHash: input.drill?.planHash ?? input.planHash,
    mode: input.drill === undefined ? 'real' : `drill-${input.drill.mode}`,
    form: input.form,
    ...(input.restoreFrom === undefined ? {} : { restoreFrom: input.restoreFrom.repository }),
    outcome: ended,
    target: { ...input.target, ...(typeof reachedLsn === 'string' ? { reachedLsn } : {}) },
    onset: timing.onsetAt,
    ...(rpaMs === undefined || ended !== 'completed' ? {} : { rpaMs }),
    ...(ended === 'completed' ? { rtaMs: timing.rtaMs } : {}),
    declared: declared === undefined ? {} : { rpoMs: declared.rpoMs, rtoMs: declared.rtoMs },
    phases: { detectMs: detect, decideMs: decide, prepareMs: prepare, restoreMs: restore, replayMs: replay, verifyMs: verify },
    ...(restored.length === 0 ? {} : { restored }),
    compared: { checks, checksFailed },
    verdict,
    ...(input.drill === undefined ? {} : { drill: drillRecord(input, input.drill, outcome) }),
  }
}
