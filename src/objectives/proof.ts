import type { DataEvidence, LedgerRef, RecoveryFact, RestoreFact } from './evidence.ts'
import { clockToleranceMs, proofMaxAgeMs } from './objective-status.ts'
import type { RecoverablePoint } from './recoverable-point.ts'

export interface Proof {
  readonly basis: 'measured' | 'stale' | 'estimated'
  readonly because: 'proven' | 'proof-too-old' | 'last-recovery-failed' | 'never-restored'
  readonly record?: LedgerRef | undefined
}

/** From the best to the worst. */
export const proofOrder: readonly Proof['because'][] = ['proven', 'proof-too-old', 'last-recovery-failed', 'never-restored']

/** Whether data like this has been brought back and compared. A restored snapshot says nothing of replaying WAL beyond it. */
export function proofOf(data: DataEvidence, point: RecoverablePoint, recoveries: readonly RecoveryFact[], now: Date): Proof {
  const restores: readonly RestoreFact[] = point.byWal
    ? []
    : data.restores.filter(({ time, verifiedFiles }) => verifiedFiles > 0 && time.getTime() <= now.getTime() + clockToleranceMs)
  const good = [...recoveries.filter(isProof), ...restores].toSorted((a, b) => b.time.getTime() - a.time.getTime())[0]
  if (!good) return { basis: 'estimated', because: 'never-restored' }
  const failed = recoveries.find(isFailure)
  if (failed && failed.time.getTime() >= good.time.getTime())
    return { basis: 'stale', because: 'last-recovery-failed', record: failed.record }
  if (now.getTime() - good.time.getTime() > proofMaxAgeMs)
    return { basis: 'stale', because: 'proof-too-old', record: good.record }
  return { basis: 'measured', because: 'proven', record: good.record }
}

/** It came back and something was looked at. */
export function isProof({ outcome, checks, checksFailed }: RecoveryFact): boolean {
  return outcome === 'completed' && checks > 0 && checksFailed === 0
}

export function isTimed(recovery: RecoveryFact): recovery is RecoveryFact & { readonly rtaMs: number } {
  return isProof(recovery) && recovery.rtaMs !== undefined
}

/** An aborted run says nothing; a failed one, or one whose checks failed, says that the plan does not work. */
export function isFailure({ outcome, checksFailed }: RecoveryFact): boolean {
  return outcome === 'failed' || (outcome === 'completed' && checksFailed > 0)
}
