import type { DependencyPath } from './dependency-path.ts'
import { verdictOf, type Verdict } from './verdict.ts'

/** The RTO of a service when all that it depends on is lost with it. */
export interface DependencyStatus extends DependencyPath {
  readonly verdict: Verdict
  readonly because: 'within-objective' | 'near-objective' | 'above-objective' | 'not-known-of-all' | 'not-measured-of-all'
}

/**
 * A critical path against the service's RTO. What is known may already be too long, whatever the rest takes; else one time that nobody knows
 * leaves it unknown, and one that was not measured at best at risk.
 */
export function dependencyStatus(path: DependencyPath, declaredMs: number, allMeasured: boolean): DependencyStatus {
  const known = verdictOf(path.atLeastMs, declaredMs)
  if (known === 'missed') return { ...path, verdict: 'missed', because: 'above-objective' }
  if (path.totalMs === undefined) return { ...path, verdict: 'unknown', because: 'not-known-of-all' }
  if (!allMeasured) return { ...path, verdict: 'at-risk', because: 'not-measured-of-all' }
  return { ...path, verdict: known, because: known === 'met' ? 'within-objective' : 'near-objective' }
}
