import type { DataEvidence, LedgerRef } from './evidence.ts'
import { judged, unknown, type ObjectiveStatus } from './objective-status.ts'
import { proofOf, worstProof } from './proof.ts'
import type { RecoverablePoint } from './recoverable-point.ts'

type FoundPoint = RecoverablePoint & { readonly time: Date }

export function isFound(point: RecoverablePoint): point is FoundPoint {
  return point.time !== undefined
}

/** The service is only as far back as the part of its data that is furthest behind. */
export function oldest(points: readonly FoundPoint[]): FoundPoint | undefined {
  return points.toSorted((a, b) => a.time.getTime() - b.time.getTime())[0]
}

/** The service's RPO: that of the part of its data which is worst off. */
export function rpoStatus(
  declaredMs: number | undefined,
  data: readonly DataEvidence[],
  points: readonly RecoverablePoint[],
  now: Date,
): ObjectiveStatus {
  const declared = declaredMs === undefined ? {} : { declaredMs }
  const lacking = points.findIndex((point) => !isFound(point))
  if (lacking >= 0) return { ...unknown(declared, points[lacking]?.problem ?? 'no-snapshot'), ...aboutPart(data[lacking]) }
  const point = oldest(points.filter(isFound))
  if (!point) return unknown(declared, 'no-data')

  const actualMs = Math.max(0, now.getTime() - point.time.getTime())
  const proofs = data.map((part, index) => proofOf(part, points[index]?.byWal === true, now))
  const proof = worstProof(proofs)
  const evidence = [...points.flatMap(({ record }) => record ?? []), ...proofs.flatMap(({ record }) => record ?? [])]
  const doubtful = proof.because === 'proven' ? points.findIndex(({ doubt }) => doubt !== undefined) : proofs.indexOf(proof)
  const doubt = proof.because === 'proven' ? points[doubtful]?.doubt : proof.because
  const status = judged({ ...declared, actualMs, basis: proof.basis, evidence: unique(evidence) }, declaredMs, doubt)
  const about = status.because === doubt ? data[doubtful] : data[points.indexOf(point)]
  return { ...status, ...aboutPart(about) }
}

function aboutPart(part: DataEvidence | undefined): Pick<ObjectiveStatus, 'about'> {
  return part ? { about: { service: part.service, kind: part.kind } } : {}
}

function unique(found: readonly LedgerRef[]): LedgerRef[] {
  return [...new Map(found.map((ref) => [`${ref.repository}\0${ref.seq}`, ref])).values()]
}
