import { outageCountsFrom, type Catalog, type Service } from '../../catalog/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import { recoveryVerdict, type RecoveryVerdict } from '../../objectives/index.ts'
import type { Json } from '../../kernel/index.ts'
import type { PlanOutcome } from '../../recovery/index.ts'
import { dataHolders } from '../status/service-evidence.ts'

/** What a run achieved for one of the services that it recovered. */
export interface JudgedRecovery extends RecoveryVerdict {
  readonly ended: EvidenceBody<'recovery'>['outcome']
  readonly rpaMs?: number
  readonly checks: number
  readonly checksFailed: number
}

/** Holds the outcome of a run against a service's objectives. What a service without data of its own lost is what those it depends on lost. */
export function judgeRecovery(catalog: Catalog, name: string, outcome: PlanOutcome): JudgedRecovery {
  const { timing, failure, checksPassed } = outcome
  const service = catalog.services[name]
  const declared = service?.objectives
  const failedCheck =
    failure?.error.code === 'timed-out' || outcome.steps.some(({ state, kind }) => state === 'failed' && kind.endsWith('.check'))
  const holders = service === undefined ? [] : dataHolders(catalog, service)
  const recoveredUntil = recoveredPoint(outcome, holders.length > 0 ? holders.map((holder) => holder.name) : [name])
  const concerned = service === undefined ? [] : [service, ...holders]
  const rpaMs =
    recoveredUntil === undefined ? undefined : Math.max(0, lossCountsFrom(catalog, outcome, concerned) - recoveredUntil)
  const ended = endOf(outcome)
  const checksFailed = failedCheck ? 1 : 0
  const checks = checksPassed + checksFailed
  return {
    ...recoveryVerdict({
      outcome: ended,
      declared: { rpoMs: declared?.rpoMs, rtoMs: declared?.rtoMs },
      rpaMs,
      rtaMs: timing.rtaMs,
      checks,
      checksFailed,
    }),
    ended,
    ...(rpaMs === undefined ? {} : { rpaMs }),
    checks,
    checksFailed,
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

/**
 * From when, back to what was recovered, data counts as lost, in ms: from the onset. One that fell into announced maintenance says nothing of when data was
 * lost, for the service was stopped on purpose: from the end of that, or from the beginning of the run, which nothing written later could outlive.
 */
function lossCountsFrom(catalog: Catalog, { plan, timing }: PlanOutcome, concerned: readonly Service[]): number {
  const [since, now] = [new Date(timing.onsetAt), new Date(timing.startedAt)]
  const forMs = catalog.plans[plan]?.detection?.watch?.forMs ?? 0
  const ends = concerned.map((service) => outageCountsFrom(catalog, [service], { since, forMs, now }).from.getTime())
  return Math.max(since.getTime(), ...ends.map((end) => Math.min(end, now.getTime())))
}

/** The earliest of the moments up to which the data of all these services came back; undefined when a step could not tell, or one did not. */
function recoveredPoint(outcome: PlanOutcome, services: readonly string[]): number | undefined {
  const moments = services.flatMap((service) => {
    const told = outputsOf(outcome).filter((output) => output.service === service && 'recoveredUntil' in output)
    const times = told.map(({ recoveredUntil }) => (typeof recoveredUntil === 'string' ? Date.parse(recoveredUntil) : undefined))
    return times.length === 0 ? [undefined] : times
  })
  return moments.includes(undefined) || moments.length === 0
    ? undefined
    : Math.min(...moments.filter((moment) => moment !== undefined))
}

export function outputsOf(outcome: PlanOutcome): Readonly<Record<string, Json>>[] {
  return outcome.steps.flatMap(({ output }) =>
    output !== null && typeof output === 'object' && !Array.isArray(output) ? [output as Readonly<Record<string, Json>>] : [],
  )
}
