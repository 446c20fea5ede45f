import type { DataEvidence, LedgerRef, RecoveryFact, ServiceEvidence } from './evidence.ts'
import { clockToleranceMs, judged, proofMaxAgeMs, unknown, type ObjectiveStatus, type Reason } from './objective-status.ts'
import { isFailure, isTimed } from './proof.ts'
import type { RecoverablePoints } from './recoverable-point.ts'

export function rtoStatus(
  declaredMs: number | undefined,
  { data, planHash }: ServiceEvidence,
  ways: readonly RecoverablePoints[],
  recoveries: readonly RecoveryFact[],
  now: Date,
): ObjectiveStatus {
  const declared = declaredMs === undefined ? {} : { declaredMs }
  // However fast the last recovery was, today there is nothing to recover from.
  const lacking = data.find((_, index) => ways[index]?.points.length === 0)
  if (lacking) {
    const { service, kind } = lacking
    return { ...unknown(declared, 'not-recoverable'), about: { service, kind, byWal: false } }
  }

  const last = recoveries.find((recovery) => isFailure(recovery) || isTimed(recovery))
  if (last && isFailure(last)) {
    const verdict = declaredMs === undefined ? 'unknown' : 'missed'
    return { ...declared, basis: 'measured', verdict, because: 'last-recovery-failed', evidence: refs(last) }
  }
  if (last && isTimed(last)) {
    const doubt = staleness(last, planHash, now)
    const status = {
      ...declared,
      actualMs: last.rtaMs,
      basis: doubt ? ('stale' as const) : ('measured' as const),
      measured: { at: last.time, ...(last.drill === undefined ? {} : { drill: last.drill }) },
      evidence: refs(last),
    }
    return judged(status, declaredMs, doubt)
  }
  const estimate = estimateRestore(data, ways, now)
  if (estimate) {
    const status = { ...declared, actualMs: estimate.actualMs, basis: 'estimated' as const, evidence: estimate.evidence }
    return judged(status, declaredMs, 'estimated-from-restore')
  }
  if (recoveries.some(({ outcome, checks }) => outcome === 'completed' && checks === 0))
    return unknown(declared, 'nothing-was-checked')
  return unknown(declared, planHash === undefined ? 'no-plan' : 'never-recovered')
}

function staleness(recovery: RecoveryFact, planHash: string | undefined, now: Date): Reason | undefined {
  if (planHash === undefined) return 'no-plan'
  if (recovery.planHash !== planHash) return 'plan-changed'
  return now.getTime() - recovery.time.getTime() > proofMaxAgeMs ? 'proof-too-old' : undefined
}

/** The bytes of the newest recoverable states over the rate of the last verified restore of each. Undefined when any is not known. */
function estimateRestore(
  data: readonly DataEvidence[],
  ways: readonly RecoverablePoints[],
  now: Date,
): { actualMs: number; evidence: LedgerRef[] } | undefined {
  let actualMs = 0
  const evidence: LedgerRef[] = []
  for (const [index, part] of data.entries()) {
    const last = part.restores
      .filter(({ time, sizeBytes, durationMs, verifiedFiles }) => {
        return time.getTime() <= now.getTime() + clockToleranceMs && sizeBytes > 0 && durationMs > 0 && verifiedFiles > 0
      })
      .toSorted((a, b) => b.time.getTime() - a.time.getTime())[0]
    const sizeBytes = ways[index]?.sizeBytes
    if (!last || sizeBytes === undefined) return undefined
    actualMs += (sizeBytes * last.durationMs) / last.sizeBytes
    evidence.push(...refs(last))
  }
  return data.length === 0 ? undefined : { actualMs, evidence }
}

function refs({ record }: { readonly record?: LedgerRef }): LedgerRef[] {
  return record ? [record] : []
}
