import type { Experiment } from '../../catalog/index.ts'
import { formatDuration, HoldfastError, isHoldfastError, messageOf, type Clock } from '../../kernel/index.ts'
import { isWell } from '../hypothesis/judge-phase.ts'
import type { Sample } from '../hypothesis/evidence.ts'
import type { DrillEvidence } from '../verdict.ts'
import type { Reins } from './break-things.ts'

/** A plan that must bring the services back, as whoever puts the parts together can run it. */
export interface DrillJob {
  /** Waits until observers see that it is down. Absent: the experiment's own hypothesis tells. Rejects with the signal's reason. */
  readonly detect?: (signal: AbortSignal) => Promise<void>
  /**
   * Runs the plan to its end. When the signal aborts, the run is let go: somebody decides whether it goes on.
   *
   * @param onset when it was broken
   */
  readonly run: (
    onset: Date,
    signal: AbortSignal,
  ) => Promise<{
    readonly runId: string
    readonly succeeded: boolean
    readonly because?: string
    /** From the call until the run itself began. */
    readonly decideMs: number
  }>
}

interface Drilling {
  readonly experiment: Experiment
  readonly clock: Clock
  readonly drill: DrillJob
}

/**
 * Waits until it is noticed, and runs the plan. What goes wrong is an outcome; so is that nobody noticed.
 *
 * @param onsetMs when it was broken, as is known once it was noticed
 */
export async function drillPlan(
  { experiment, clock, drill }: Drilling,
  onsetMs: () => number,
  { samples, stop }: Pick<Reins, 'samples' | 'stop'>,
): Promise<DrillEvidence> {
  const { plan = '', detection } = experiment.drill ?? {}
  if (detection === undefined) return { succeeded: false, because: 'it names no plan' }
  const about = { plan, detectedBy: detection.by }
  const late = new AbortController()
  const timer = setTimeout(() => {
    const message = `nobody noticed within ${formatDuration(detection.withinMs)}`
    late.abort(new HoldfastError('timed-out', { message }))
  }, detection.withinMs)
  const detecting = AbortSignal.any([stop, late.signal])
  try {
    if (drill.detect === undefined) await detectBySamples(experiment, { samples, forMs: detection.forMs, clock }, detecting)
    else await drill.detect(detecting)
  } catch (error) {
    if (!detecting.aborted && !isHoldfastError(error)) throw error
    return { ...about, succeeded: false, because: messageOf(detecting.aborted ? detecting.reason : error) }
  } finally {
    clearTimeout(timer)
  }
  const detectedMs = clock.monotonicMs()
  const detectMs = detectedMs - onsetMs()
  const onset = new Date(clock.now().getTime() - detectMs)
  try {
    const { decideMs, ...ran } = await drill.run(onset, stop)
    const runMs = clock.monotonicMs() - detectedMs - decideMs
    return { ...about, ...ran, phases: { detectMs, decideMs, runMs } }
  } catch (error) {
    if (!stop.aborted && !isHoldfastError(error)) throw error
    return { ...about, succeeded: false, because: messageOf(error), phases: { detectMs } }
  }
}

/**
 * The onset of an outage, from what was seen: when the last look began that was well, before looks that were not. 0 as long as none was well. Once it
 * is ill, later well looks do not move it: what flaps is down.
 */
export function lastWell(
  { hypothesis: { probes } }: Experiment,
  { samples }: Pick<Reins, 'samples'>,
): Disposable & { startedMs(): number } {
  let startedMs = 0
  let ill = false
  const watching = samples((sample) => {
    if (!isWell(probes, sample)) ill = true
    else if (!ill && 'startedMs' in sample) startedMs = Math.max(startedMs, sample.startedMs)
  })
  return { startedMs: () => (ill ? startedMs : 0), [Symbol.dispose]: () => watching[Symbol.dispose]() }
}

/** Until the hypothesis has not held for so long, in every look. */
async function detectBySamples(
  { hypothesis: { probes } }: Experiment,
  { samples, forMs, clock }: { readonly samples: Reins['samples']; readonly forMs: number; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  let sinceMs: number | undefined
  await seenIn(samples, signal, (sample) => {
    sinceMs = isWell(probes, sample) ? undefined : (sinceMs ?? ('startedMs' in sample ? sample.startedMs : sample.dueMs))
    return sinceMs !== undefined && clock.monotonicMs() - sinceMs >= forMs
  })
}

/** The plan has ended; what it brought back is looked at until it is well, or its time is over. */
export async function untilWell(
  { experiment, clock }: Pick<Drilling, 'experiment' | 'clock'>,
  onsetMs: number,
  { samples, stop }: Pick<Reins, 'samples' | 'stop'>,
): Promise<void> {
  const { hypothesis, recoversWithinMs = 0 } = experiment
  const nowMs = clock.monotonicMs()
  const over = new AbortController()
  const leftMs = Math.max(onsetMs + recoversWithinMs - nowMs, 0) + 10 * hypothesis.everyMs
  const timer = setTimeout(() => over.abort(), leftMs)
  try {
    const ends = AbortSignal.any([stop, over.signal])
    await seenIn(
      samples,
      ends,
      (sample) => 'startedMs' in sample && sample.startedMs >= nowMs && isWell(hypothesis.probes, sample),
    ).catch((error: unknown) => {
      if (!ends.aborted) throw error
    })
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves with the first sample for which it holds; rejects with the signal's reason. */
async function seenIn(samples: Reins['samples'], signal: AbortSignal, holds: (sample: Sample) => boolean): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  using _watching = samples((sample) => holds(sample) && resolve())
  const onAbort = () => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
