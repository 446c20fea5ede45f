import type { DetectionVerdict } from './judge.ts'

export interface StartQuestion {
  readonly verdict: DetectionVerdict
  readonly decide: 'ask' | 'auto'
  readonly quietMs: number
  /** The newest run of the plan, by whomever it was started. */
  readonly lastRun?: { readonly runId: string; readonly startedAt: Date; readonly endedAt?: Date }
  /** One that was started by itself, after which nobody has seen the service well. */
  readonly unsettled?: { readonly runId: string }
  /** A run that has not ended in the plan's environment. */
  readonly openRun?: { readonly runId: string }
  readonly now: Date
}

export type StartDecision =
  | { readonly start: true; readonly onset: Date }
  | { readonly start: false; readonly because: 'not-down' | 'a-person-decides' }
  | { readonly start: false; readonly because: 'run-open' | 'same-outage'; readonly runId: string }
  | { readonly start: false; readonly because: 'quiet'; readonly runId: string; readonly until: Date }

/**
 * Whether the plan may be started without asking anybody.
 *
 * Never for an outage that a run was already started for (it began before that run's end, or the service was not seen well since), never while
 * another run is open, and never within `quietMs` of the last one's end: a failover that did not help is for a person.
 */
export function decideStart({ verdict, decide, quietMs, lastRun, unsettled, openRun, now }: StartQuestion): StartDecision {
  if (verdict.verdict !== 'down') return { start: false, because: 'not-down' }
  if (openRun !== undefined) return { start: false, because: 'run-open', runId: openRun.runId }
  if (unsettled !== undefined) return { start: false, because: 'same-outage', runId: unsettled.runId }
  if (lastRun !== undefined) {
    const { runId, startedAt, endedAt = startedAt } = lastRun
    if (verdict.since.getTime() <= endedAt.getTime()) return { start: false, because: 'same-outage', runId }
    const until = new Date(endedAt.getTime() + quietMs)
    if (now < until) return { start: false, because: 'quiet', runId, until }
  }
  return decide === 'auto' ? { start: true, onset: verdict.since } : { start: false, because: 'a-person-decides' }
}
