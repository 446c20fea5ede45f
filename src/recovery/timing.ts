import type { RunTiming, StepReport } from './outcome.ts'

type Phase = 'decide' | 'prepare' | 'restore' | 'replay' | 'verify'

/** Which part of a recovery a step's time counts to. */
function phaseOf(kind: string): Phase {
  if (kind === 'approve') return 'decide'
  if (kind.endsWith('.restore')) return 'restore'
  if (kind === 'postgres.start' || kind.endsWith('.promote')) return 'replay'
  return kind === 'check' || kind.endsWith('.check') ? 'verify' : 'prepare'
}

/**
 * Where the time went, from the onset to the end. Each moment belongs to the phase of the step, or check, that ended next, so that
 * the phases add up also when steps ran at once.
 * Everything before the run began is `detect`. An onset after the start (a clock that went back) counts as the start.
 */
export function timingOf(
  onset: Date,
  started: Date,
  ended: Date,
  steps: readonly Pick<StepReport, 'kind' | 'endedAt'>[],
): RunTiming {
  const startMs = started.getTime()
  const onsetMs = Math.min(onset.getTime(), startMs)
  const endMs = Math.max(ended.getTime(), startMs)
  const phases = { detect: startMs - onsetMs, decide: 0, prepare: 0, restore: 0, replay: 0, verify: 0 }
  const ends = steps
    .flatMap(({ kind, endedAt }) => (endedAt === undefined ? [] : [{ phase: phaseOf(kind), atMs: Date.parse(endedAt) }]))
    .sort((a, b) => a.atMs - b.atMs)
  let reachedMs = startMs
  for (const { phase, atMs } of ends) {
    const untilMs = Math.min(Math.max(atMs, reachedMs), endMs)
    phases[phase] += untilMs - reachedMs
    reachedMs = untilMs
  }
  phases[ends.at(-1)?.phase ?? 'prepare'] += endMs - reachedMs
  return {
    onsetAt: new Date(onsetMs).toISOString(),
    startedAt: started.toISOString(),
    endedAt: new Date(endMs).toISOString(),
    rtaMs: endMs - onsetMs,
    phases,
  }
}
