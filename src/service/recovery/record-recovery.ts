import type { Catalog } from '../../catalog/index.ts'
import type { Json } from '../../kernel/index.ts'
import { recoveryVerdict } from '../../objectives/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import type { PlanInput, PlanOutcome } from '../../recovery/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { openRepositoryLedger, recordEvidence } from '../record-evidence.ts'

/**
 * Puts the outcome of a recovery into the ledger of every repository that its services are backed up to. Looks first whether it is there:
 * a run that crashed after writing it comes here again. Gives `[{repository, service, seq}]`.
 */
export async function recordRecovery(
  catalog: Catalog,
  outcome: PlanOutcome,
  { runId, input }: { readonly runId: string; readonly input: PlanInput },
  signal: AbortSignal,
): Promise<Json> {
  const where: { repository: string; service: string; seq: number }[] = []
  for (const name of input.plan.recovers) {
    const service = catalog.services[name]
    for (const repository of service?.backup?.to ?? []) {
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

/** What the ledger keeps of a recovery, for one of the services that it recovered. */
export function recoveryRecord(
  catalog: Catalog,
  service: string,
  runId: string,
  { plan, planHash, target }: PlanInput,
  outcome: PlanOutcome,
): EvidenceBody<'recovery'> {
  const { timing, failure, checksPassed } = outcome
  const { detect, prepare, restore, replay, verify } = timing.phases
  const declared = catalog.services[service]?.objectives
  const failedCheck =
    failure?.error.code === 'timed-out' || outcome.steps.some(({ state, kind }) => state === 'failed' && kind.endsWith('.check'))
  const recoveredUntil = recoveredPoint(outcome, service)
  const rpaMs = recoveredUntil === undefined ? undefined : Math.max(0, Date.parse(timing.onsetAt) - recoveredUntil)
  const ended = endOf(outcome)
  const checksFailed = failedCheck ? 1 : 0
  const { verdict } = recoveryVerdict({
    outcome: ended,
    declared: { rpoMs: declared?.rpoMs, rtoMs: declared?.rtoMs },
    rpaMs,
    rtaMs: timing.rtaMs,
    checks: checksPassed + checksFailed,
    checksFailed,
  })
  const reachedLsn = outputs(outcome).find(({ reachedLsn }) => typeof reachedLsn === 'string')?.reachedLsn
  return {
    runId,
    plan: plan.name,
    planHash,
    mode: 'real',
    outcome: ended,
    target: { ...target, ...(typeof reachedLsn === 'string' ? { reachedLsn } : {}) },
    onset: timing.onsetAt,
    ...(rpaMs === undefined || ended !== 'completed' ? {} : { rpaMs }),
    ...(ended === 'completed' ? { rtaMs: timing.rtaMs } : {}),
    declared: declared === undefined ? {} : { rpoMs: declared.rpoMs, rtoMs: declared.rtoMs },
    phases: { detectMs: detect, prepareMs: prepare, restoreMs: restore, replayMs: replay, verifyMs: verify },
    compared: { checks: checksPassed + checksFailed, checksFailed },
    verdict,
  }
}

/**
 * What is said of the plan: a run that checked nothing came to its end and proves nothing; one that never began, or that somebody
 * cancelled, says nothing against it.
 */
function endOf({ status, failure }: PlanOutcome): EvidenceBody<'recovery'>['outcome'] {
  if (status === 'succeeded' || status === 'unverified') return 'completed'
  return status === 'preflight-failed' || failure?.error.code === 'run-cancelled' ? 'aborted' : 'failed'
}

/** The earliest of the moments up to which the service's data came back; undefined when a step could not tell. */
function recoveredPoint(outcome: PlanOutcome, service: string): number | undefined {
  const moments = outputs(outcome)
    .filter((output) => output.service === service && 'recoveredUntil' in output)
    .map(({ recoveredUntil }) => (typeof recoveredUntil === 'string' ? Date.parse(recoveredUntil) : undefined))
  return moments.includes(undefined) || moments.length === 0
    ? undefined
    : Math.min(...moments.filter((moment) => moment !== undefined))
}

function outputs(outcome: PlanOutcome): Readonly<Record<string, Json>>[] {
  return outcome.steps.flatMap(({ output }) =>
    output !== null && typeof output === 'object' && !Array.isArray(output) ? [output as Readonly<Record<string, Json>>] : [],
  )
}
