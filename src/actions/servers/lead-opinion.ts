import type { Sight } from './survey.ts'

/**
 * What another server says about whether one may lead that was a primary.
 *
 * behind        it has seen no later leader: it is no reason against it.
 * leads         it takes writes, as far as anybody can tell.
 * led-since     it is on a later timeline, or led on the same one: another has led since.
 * other-cluster it is not of this cluster: the address leads elsewhere.
 * unseen        it cannot be looked at, and nobody knows.
 */
export type LeadOpinion = 'behind' | 'leads' | 'led-since' | 'other-cluster' | 'unseen'

/** What the sight of another server means for one that was the primary until `timeline`. The timeline is the epoch that a leader has to present. */
export function leadOpinion(
  sight: Sight,
  { systemIdentifier, timeline }: { readonly systemIdentifier: string; readonly timeline: number },
): LeadOpinion {
  if (sight.kind === 'unseen') return 'unseen'
  const seen = sight.kind === 'stopped' ? sight : sight.state
  if (seen !== undefined && seen.systemIdentifier !== systemIdentifier) return 'other-cluster'
  if (sight.kind === 'primary') return 'leads'
  if (seen === undefined) return 'unseen'
  const hasLed = sight.kind === 'closed' || (sight.kind === 'stopped' && sight.wasPrimary)
  return seen.timeline > timeline || (hasLed && seen.timeline === timeline) ? 'led-since' : 'behind'
}
