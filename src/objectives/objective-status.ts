import type { DrillFact, LedgerRef } from './evidence.ts'
import type { PointProblem } from './recoverable-point.ts'
import { verdictOf, type Basis, type Verdict } from './verdict.ts'

/** A proof older than this is stale. */
export const proofMaxAgeMs = 90 * 86_400_000

/** How far another machine's clock may be ahead of ours before what it dates counts as future-dated. */
export const clockToleranceMs = 5000

export type Reason =
  | 'within-objective'
  | 'near-objective'
  | 'above-objective'
  | 'not-declared'
  | 'no-data'
  | 'never-restored'
  | 'never-recovered'
  | 'no-plan'
  | 'proof-too-old'
  | 'plan-changed'
  | 'last-recovery-failed'
  | 'nothing-was-checked'
  | 'estimated-from-restore'
  | 'incomplete-snapshot'
  | 'not-recoverable'
  | 'wal-not-archived'
  | 'repository-unseen'
  | PointProblem

/** A part of a service's data. */
export interface AboutData {
  readonly service: string
  readonly kind: 'postgres' | 'files'
  /** It is archived WAL that reaches the furthest, not a snapshot. */
  readonly byWal: boolean
}

export interface ObjectiveStatus {
  readonly declaredMs?: number
  /** RPO: what would be lost now. RTO: how long the last recovery took, or would take. */
  readonly actualMs?: number
  readonly basis: Basis
  readonly verdict: Verdict
  readonly because: Reason
  /** Whose data the reason is about, when it is about data. */
  readonly about?: AboutData
  /** RTO: the run that the figure comes from; `drill` when it was run on purpose. */
  readonly measured?: { readonly at: Date; readonly drill?: DrillFact }
  /** The records that the figure and its basis rest on. */
  readonly evidence: readonly LedgerRef[]
}

/** A figure against its objective: over it is missed whatever the basis, and a doubt leaves nothing better than at risk. */
export function judged(
  status: Omit<ObjectiveStatus, 'verdict' | 'because'> & { readonly actualMs: number },
  declaredMs: number | undefined,
  doubt: Reason | undefined,
): ObjectiveStatus {
  if (declaredMs === undefined) return { ...status, verdict: 'unknown', because: 'not-declared' }
  const verdict = verdictOf(status.actualMs, declaredMs)
  if (verdict === 'missed') return { ...status, verdict, because: 'above-objective' }
  if (doubt) return { ...status, verdict: 'at-risk', because: doubt }
  return { ...status, verdict, because: verdict === 'met' ? 'within-objective' : 'near-objective' }
}

export function unknown(declared: { declaredMs?: number }, because: Reason): ObjectiveStatus {
  return { ...declared, basis: 'unknown', verdict: 'unknown', because, evidence: [] }
}
