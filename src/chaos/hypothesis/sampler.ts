import { formatDuration, type Clock } from '../../kernel/index.ts'
import type { PhaseEvidence, ProbeResult, Sample } from './evidence.ts'

export interface SamplerJob {
  readonly clock: Clock
  readonly everyMs: number
  /** Looks at everything once. Must end by itself. */
  readonly look: (signal: AbortSignal) => Promise<readonly ProbeResult[]>
  /** Each sample once it is complete, in the order of completion: to keep it, and to decide whether to go on. */
  readonly onSample?: (sample: Sample) => void
  /** How many looks may be in flight: a target that hangs must not be buried under looks. */
  readonly maxInFlight?: number
}

const defaultInFlight = 8

/**
 * Samples on a fixed cadence of the monotonic clock, from now until `endMs` has passed or `stop` aborts. Slots are counted from the
 * beginning, so lateness never adds up, and a slow look delays no other: they overlap. A slot that passed unseen, because this process did
 * not run or too many looks hung, is recorded as missed. Looks in flight at the end are waited for. Throws only the signal's reason.
 */
export async function sample(
  { clock, everyMs, look, onSample, maxInFlight = defaultInFlight }: SamplerJob,
  until: { readonly endMs: number; readonly stop?: AbortSignal },
  signal: AbortSignal,
): Promise<PhaseEvidence> {
  const startedMs = clock.monotonicMs()
  const samples: Sample[] = []
  const inFlight = new Set<Promise<void>>()
  const failure: unknown[] = []
  const keep = (sample: Sample) => {
    samples.push(sample)
    onSample?.(sample)
  }
  const begin = (slot: number, dueMs: number) => {
    const lookedMs = clock.monotonicMs()
    const work = look(signal).then(
      (results) => keep({ slot, dueMs, startedMs: lookedMs, endedMs: clock.monotonicMs(), results }),
      (error: unknown) => failure.push(error),
    )
    const settled = work.then(() => void inFlight.delete(settled))
    inFlight.add(settled)
  }
  let slot = 0
  for (; ; slot++) {
    const dueMs = startedMs + slot * everyMs
    if (dueMs >= until.endMs || !(await sleepUntil(dueMs, clock, until.stop, signal))) break
    if (failure.length > 0) break
    const lateMs = clock.monotonicMs() - dueMs
    if (lateMs >= everyMs) keep({ slot, dueMs, missed: `the sampler was ${formatDuration(lateMs)} late` })
    else if (inFlight.size >= maxInFlight) keep({ slot, dueMs, missed: `${inFlight.size} looks had not ended` })
    else begin(slot, dueMs)
  }
  // The last slot's own time belongs to the phase.
  if (failure.length === 0) await sleepUntil(until.endMs, clock, until.stop, signal)
  const endedMs = clock.monotonicMs()
  await Promise.all(inFlight)
  if (failure.length > 0) throw failure[0]
  signal.throwIfAborted()
  return { startedMs, endedMs, everyMs, slots: slot, samples: samples.toSorted((a, b) => a.slot - b.slot) }
}

/** False when it was stopped before. */
async function sleepUntil(atMs: number, clock: Clock, stop: AbortSignal | undefined, signal: AbortSignal): Promise<boolean> {
  const either = stop === undefined ? signal : AbortSignal.any([signal, stop])
  const leftMs = atMs - clock.monotonicMs()
  try {
    if (leftMs > 0) await clock.sleep(leftMs, either)
  } catch (error) {
    signal.throwIfAborted()
    if (stop?.aborted === true) return false
    throw error
  }
  signal.throwIfAborted()
  return stop?.aborted !== true
}
