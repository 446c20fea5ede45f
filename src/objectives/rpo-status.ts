import type { DataEvidence, LedgerRef } from './evidence.ts'
import { judged, unknown, type ObjectiveStatus } from './objective-status.ts'
import { proofOf } from './proof.ts'
import type { RecoverablePoint, RecoverablePoints } from './recoverable-point.ts'
import { compareBases, worstBasis } from './verdict.ts'

/** Unknown last: with one part that cannot be brought back at all there is no figure for the whole. */
const verdictOrder: readonly ObjectiveStatus['verdict'][] = ['met', 'at-risk', 'missed', 'unknown']

/** The service's RPO: each part of its data by its best way back, and of the parts the worst. */
export function rpoStatus(
  declaredMs: number | undefined,
  data: readonly DataEvidence[],
  ways: readonly RecoverablePoints[],
  now: Date,
): ObjectiveStatus {
  const parts = data.map((part, index) => partStatus(declaredMs, part, ways[index], now)).toSorted(bestFirst)
  const worst = parts.at(-1)
  if (!worst) return unknown(declaredMs === undefined ? {} : { declaredMs }, 'no-data')
  if (worst.actualMs === undefined) return worst
  return {
    ...worst,
    actualMs: Math.max(...parts.map(({ actualMs = 0 }) => actualMs)),
    basis: worstBasis(parts.map(({ basis }) => basis)),
    evidence: unique(parts.flatMap(({ evidence }) => evidence)),
  }
}

function partStatus(
  declaredMs: number | undefined,
  part: DataEvidence,
  ways: RecoverablePoints | undefined,
  now: Date,
): ObjectiveStatus {
  const declared = declaredMs === undefined ? {} : { declaredMs }
  const about = { service: part.service, kind: part.kind, byWal: false }
  const candidates = (ways?.points ?? []).map((point) => {
    const proof = proofOf(part, point.byWal, now)
    const figure = {
      ...declared,
      actualMs: Math.max(0, now.getTime() - point.time.getTime()),
      basis: proof.basis,
      evidence: refs(point, proof),
      about: { ...about, byWal: point.byWal },
    }
    return judged(figure, declaredMs, proof.because === 'proven' ? point.doubt : proof.because)
  })
  return candidates.toSorted(bestFirst)[0] ?? { ...unknown(declared, ways?.problem ?? 'no-snapshot'), about }
}

/** By verdict; of equal ones what loses less; of equal ones again the surer. */
function bestFirst(a: ObjectiveStatus, b: ObjectiveStatus): number {
  return (
    verdictOrder.indexOf(a.verdict) - verdictOrder.indexOf(b.verdict) ||
    (a.actualMs ?? Number.MAX_VALUE) - (b.actualMs ?? Number.MAX_VALUE) ||
    compareBases(a.basis, b.basis)
  )
}

function refs(
  ...known: readonly (Pick<RecoverablePoint, 'record'> | { readonly record?: LedgerRef | undefined })[]
): LedgerRef[] {
  return known.flatMap(({ record }) => record ?? [])
}

function unique(found: readonly LedgerRef[]): LedgerRef[] {
  return [...new Map(found.map((ref) => [`${ref.repository}\0${ref.seq}`, ref])).values()]
}
