import type { DataEvidence, LedgerRef, RecoveryFact } from './evidence.ts'
import { judged, unknown, type ObjectiveStatus } from './objective-status.ts'
import { proofOf, proofOrder, type Proof } from './proof.ts'
import type { RecoverablePoint } from './recoverable-point.ts'

type FoundPoint = RecoverablePoint & { readonly time: Date }

export function isFound(point: RecoverablePoint): point is FoundPoint {
  return point.time !== undefined
}

/** The service is only as far back as the part of its data that is furthest behind. */
export function oldest(points: readonly FoundPoint[]): FoundPoint | undefined {
  return points.toSorted((a, b) => a.time.getTime() - b.time.getTime())[0]
}

export function rpoStatus(
  declaredMs: number | undefined,
  data: readonly DataEvidence[],
  points: readonly RecoverablePoint[],
  recoveries: readonly RecoveryFact[],
  now: Date,
): ObjectiveStatus {
  const declared = declaredMs === undefined ? {} : { declaredMs }
  const lacking = points.find((point) => point.time === undefined)
  if (lacking) return unknown(declared, lacking.problem ?? 'no-snapshot')
  const point = oldest(points.filter(isFound))
  if (!point) return unknown(declared, 'no-data')

  const actualMs = Math.max(0, now.getTime() - point.time.getTime())
  const proofs = data.map((part, index) => proofOf(part, points[index] as RecoverablePoint, recoveries, now))
  const proof = proofs.toSorted((a, b) => proofOrder.indexOf(b.because) - proofOrder.indexOf(a.because))[0] as Proof
  const evidence = [...points.flatMap(({ record }) => record ?? []), ...proofs.flatMap(({ record }) => record ?? [])]
  const status = { ...declared, actualMs, basis: proof.basis, evidence: unique(evidence) }
  const doubt = proof.because === 'proven' ? points.find((candidate) => candidate.doubt !== undefined)?.doubt : proof.because
  return judged(status, declaredMs, doubt)
}

function unique(found: readonly LedgerRef[]): LedgerRef[] {
  return [...new Map(found.map((ref) => [`${ref.repository}\0${ref.seq}`, ref])).values()]
}
