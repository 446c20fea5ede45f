import type { DependencyPath } from './dependency-path.ts'
import { verdictOf, type Verdict } from './verdict.ts'

/** The RTO of a service when all that it depends on is lost with it. */
export interface DependencyStatus extends DependencyPath {
  readonly verdict: Verdict
  /** What others run, that it depends on directly or not: the catalog assumes its figures. */
  readonly assumed: readonly string[]
  readonly because: 'within-objective' | 'near-objective' | 'above-objective' | 'not-known-of-all' | 'not-measured-of-all'
}

/**
 * A critical path against the service's RTO. What is known may already be too long, whatever the rest takes; else one time that nobody knows
 * leaves it unknown, and one that was not measured, or is only assumed, at best at risk.
 */
export function dependencyStatus(
  path: DependencyPath,
  declaredMs: number,
  { allMeasured, assumed }: { readonly allMeasured: boolean; readonly assumed: readonly string[] },
): DependencyStatus {
  const known = verdictOf(path.atLeastMs, declaredMs)
  const about = { ...path, assumed }
  if (known === 'missed') return { ...about, verdict: 'missed', because: 'above-objective' }
  if (path.totalMs === undefined) return { ...about, verdict: 'unknown', because: 'not-known-of-all' }
  if (!allMeasured || assumed.length > 0) return { ...about, verdict: 'at-risk', because: 'not-measured-of-all' }
  return { ...about, verdict: known, because: known === 'met' ? 'within-objective' : 'near-objective' }
}
