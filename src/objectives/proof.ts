import type { DataEvidence, LedgerRef, RecoveryFact } from './evidence.ts'
import { clockToleranceMs, proofMaxAgeMs } from './objective-status.ts'

/** How well it is known that some data can be brought back. */
export interface Proof {
  readonly basis: 'measured' | 'stale' | 'estimated'
  readonly because: 'proven' | 'proof-too-old' | 'last-recovery-failed' | 'never-restored'
  readonly record?: LedgerRef | undefined
}

const unproven: Proof = { basis: 'estimated', because: 'never-restored' }

/** Whether data like this has been brought back and compared. A restored snapshot says nothing of replaying WAL beyond it. */
export function proofOf(data: DataEvidence, byWal: boolean, now: Date): Proof {
  const limit = now.getTime() + clockToleranceMs
  const recoveries = data.recoveries.filter(({ time }) => time.getTime() <= limit)
  const restores = data.restores.filter(({ time, verifiedFiles }) => !byWal && verifiedFiles > 0 && time.getTime() <= limit)
  const good = newest([...recoveries.filter(isProof), ...restores])
  if (!good) return unproven
  const failed = newest(recoveries.filter(isFailure))
  if (failed && failed.time >= good.time) return { basis: 'stale', because: 'last-recovery-failed', record: failed.record }
  const old = now.getTime() - good.time.getTime() > proofMaxAgeMs
  return old
    ? { basis: 'stale', because: 'proof-too-old', record: good.record }
    : { basis: 'measured', because: 'proven', record: good.record }
}

/** It came back and something was looked at. */
export function isProof({ outcome, checks, checksFailed }: Pick<RecoveryFact, 'outcome' | 'checks' | 'checksFailed'>): boolean {
  return outcome === 'completed' && checks > 0 && checksFailed === 0
}

export function isTimed(recovery: RecoveryFact): recovery is RecoveryFact & { readonly rtaMs: number } {
  return isProof(recovery) && recovery.rtaMs !== undefined
}

/** An aborted run says nothing; a failed one, or one whose checks failed, says that the plan does not work. */
export function isFailure({ outcome, checksFailed }: Pick<RecoveryFact, 'outcome' | 'checksFailed'>): boolean {
  return outcome === 'failed' || (outcome === 'completed' && checksFailed > 0)
}

function newest<Fact extends { readonly time: Date }>(facts: readonly Fact[]): Fact | undefined {
  return facts.toSorted((a, b) => b.time.getTime() - a.time.getTime())[0]
}
