/** How a figure is known. `measured`: by a recovery or a verified restore; `estimated`: derived; `stale`: measured, but not of today's state. */
export type Basis = 'measured' | 'estimated' | 'stale' | 'unknown'

/** Whether an objective holds. Unknown is never met. */
export type Verdict = 'met' | 'at-risk' | 'missed' | 'unknown'

/** Above this part of an objective it is at risk. */
export const riskShare = 0.8

const basisOrder: readonly Basis[] = ['measured', 'stale', 'estimated', 'unknown']

/** Negative where `a` is known better than `b`. */
export function compareBases(a: Basis, b: Basis): number {
  return basisOrder.indexOf(a) - basisOrder.indexOf(b)
}

/** A figure made of several is known no better than the least of them. `unknown` for none. */
export function worstBasis(bases: readonly Basis[]): Basis {
  return bases.toSorted(compareBases).at(-1) ?? 'unknown'
}

const order: readonly Verdict[] = ['met', 'at-risk', 'unknown', 'missed']

/** The one to act on: missed before unknown before at-risk before met. `unknown` for none. */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  const worst = Math.max(...verdicts.map((verdict) => order.indexOf(verdict)))
  return order[worst] ?? 'unknown'
}

/** What a trusted figure says of an objective. Both in ms. */
export function verdictOf(actualMs: number, declaredMs: number): 'met' | 'at-risk' | 'missed' {
  if (!(actualMs <= declaredMs)) return 'missed'
  return actualMs > declaredMs * riskShare ? 'at-risk' : 'met'
}
