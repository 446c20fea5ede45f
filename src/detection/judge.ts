import type { SeenState } from './hold.ts'

/** What it takes to call it down. Every one of the observers is configured: none is left out for being silent. */
export interface QuorumRule {
  readonly observers: readonly string[]
  readonly needed: number
  readonly forMs: number
  /** A report older than this says nothing about now. */
  readonly staleAfterMs: number
  /** What the observers should be looking at; see PlanObservation.rule. */
  readonly rule: string
}

/** What one report says about the plan, and how old that is. */
export interface Sight {
  readonly observer: string
  readonly epoch: number
  readonly seq: number
  /** Negative when it is dated in the future. */
  readonly ageMs: number
  readonly rule: string
  readonly state: SeenState
  readonly heldMs: number
  readonly beganMs: number
}

/** Why a configured observer says nothing that counts. */
export type Unheard = 'silent' | 'stale' | 'dated-in-the-future' | 'looks-at-something-else'

export type ObserverVoice =
  | { readonly observer: string; readonly says: 'up' | 'blind'; readonly ageMs: number }
  /** `counts` once it has held long enough; `since` by the clock of whoever decides. */
  | { readonly observer: string; readonly says: 'down'; readonly counts: boolean; readonly since: Date; readonly ageMs: number }
  | { readonly observer: string; readonly says: 'nothing'; readonly because: Unheard; readonly ageMs?: number }

export type DetectionVerdict = { readonly voices: readonly ObserverVoice[] } & (
  | { readonly verdict: 'healthy' }
  /** Some see it, but not enough of them for long enough. `since` the first of them. */
  | { readonly verdict: 'suspected'; readonly since: Date; readonly by: readonly string[] }
  /** `since` the first of those that count began to see it: the onset. `quorumSince` there were enough of them: one alone is no outage. */
  | { readonly verdict: 'down'; readonly since: Date; readonly quorumSince: Date; readonly by: readonly string[] }
  /** `too-few-observers`: fewer can be heard than the quorum needs. `too-few-well`: nobody sees it down, too few see it up. */
  | { readonly verdict: 'unknown'; readonly because: 'too-few-observers' | 'too-few-well' }
)

/** Clocks of different machines are never quite the same. */
const clockToleranceMs = 5000

/**
 * Whether a service is down, from what observers report.
 *
 * Down: at least `needed` of the configured observers see the symptoms, each without interruption for `forMs`, in reports that are fresh.
 * Healthy: so many see it well that the others could not be a quorum. Fewer observers that can be heard than a quorum needs: unknown.
 * Silent, late, blind and wrongly configured observers are never a vote. Fewer facts never make it down, nor healthy.
 */
export function judge(rule: QuorumRule, sights: readonly Sight[], now: Date): DetectionVerdict {
  const voices = rule.observers.map((observer) => voiceOf(observer, rule, sights, now))
  const up = voices.filter(({ says }) => says === 'up')
  const down = voices.filter((voice) => voice.says === 'down')
  const votes = down.filter(({ counts }) => counts)
  const of = rule.observers.length
  const quorumSince = votes.map(({ since }) => since).toSorted((a, b) => a.getTime() - b.getTime())[rule.needed - 1]
  if (quorumSince !== undefined) return { voices, verdict: 'down', quorumSince, ...firstOf(votes) }
  if (up.length + down.length < rule.needed) return { voices, verdict: 'unknown', because: 'too-few-observers' }
  if (up.length > of - rule.needed) return { voices, verdict: 'healthy' }
  if (down.length > 0) return { voices, verdict: 'suspected', ...firstOf(down) }
  return { voices, verdict: 'unknown', because: 'too-few-well' }
}

function voiceOf(
  observer: string,
  { rule, forMs, staleAfterMs }: QuorumRule,
  sights: readonly Sight[],
  now: Date,
): ObserverVoice {
  const newest = sights
    .filter((sight) => sight.observer === observer)
    .reduce<Sight | undefined>((best, sight) => (best === undefined || isNewer(sight, best) ? sight : best), undefined)
  if (newest === undefined) return { observer, says: 'nothing', because: 'silent' }
  const { state, heldMs, beganMs } = newest
  const ageMs = Math.max(0, newest.ageMs)
  const unheard = (because: Unheard): ObserverVoice => ({ observer, says: 'nothing', because, ageMs: newest.ageMs })
  if (newest.ageMs < -clockToleranceMs) return unheard('dated-in-the-future')
  if (!(ageMs <= staleAfterMs)) return unheard('stale')
  if (newest.rule !== rule) return unheard('looks-at-something-else')
  if (state !== 'down') return { observer, says: state, ageMs }
  return { observer, says: 'down', counts: heldMs >= forMs, since: new Date(now.getTime() - ageMs - beganMs), ageMs }
}

/** The same report can come twice, by two ways, of different age: the older counts as less. */
function isNewer(a: Sight, b: Sight): boolean {
  return a.epoch - b.epoch > 0 || (a.epoch === b.epoch && (a.seq - b.seq > 0 || (a.seq === b.seq && a.ageMs > b.ageMs)))
}

function firstOf(voices: readonly (ObserverVoice & { readonly since: Date })[]): { since: Date; by: string[] } {
  return {
    since: new Date(Math.min(...voices.map(({ since }) => since.getTime()))),
    by: voices.map(({ observer }) => observer),
  }
}
