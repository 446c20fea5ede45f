import type { Experiment, HypothesisProbe } from '../../catalog/index.ts'
import type { BoundFault } from '../../faults/index.ts'
import { HoldfastError, isHoldfastError, messageOf, type Clock } from '../../kernel/index.ts'
import type { CanaryEvidence } from '../canary/account.ts'
import { startCanary, type CanaryTarget, type RunningCanary } from '../canary/canary.ts'
import type { Guard } from '../clean-up/guard.ts'
import type { Sample } from '../hypothesis/evidence.ts'
import { judgePhase } from '../hypothesis/judge-phase.ts'
import { lookOnce, type LookDeps } from '../hypothesis/look.ts'
import { sample } from '../hypothesis/sampler.ts'
import { judgeExperiment, type ExperimentEvidence, type ExperimentJudgement } from '../verdict.ts'
import { breakThings } from './break-things.ts'
import type { DrillJob } from './drill.ts'
import { faultEvidence, type Held } from './held.ts'
import { injectionsOf } from './injections.ts'

export type ExperimentPhase = 'before' | 'during' | 'after'

export interface ExperimentJob extends LookDeps {
  readonly experiment: Experiment
  /** Of `experiment.faults`, in their order. */
  readonly faults: readonly BoundFault[]
  readonly clock: Clock
  /** Sweeps, and starts the watchdog. Called once it is steady. */
  readonly openGuard: (signal: AbortSignal) => Promise<Guard>
  /** Why nothing may be done any more; asked before each action and with each sample. */
  readonly halted: () => Promise<string | undefined>
  /** Of one with a plan that must bring the services back. */
  readonly drill?: DrillJob
  /** Of one with a canary: what is written to all the time. */
  readonly canary?: CanaryTarget
  readonly onPhase?: (phase: ExperimentPhase | 'clean-up') => void
  readonly onSample?: (phase: ExperimentPhase, sample: Sample) => void
}

export interface ExperimentResult extends ExperimentJudgement {
  readonly evidence: ExperimentEvidence
}

/**
 * Runs an experiment: the steady state before, the faults with the steady state sampled beside them on a fixed cadence, their end read back, and
 * the steady state again. Whatever happens, it is cleaned up, by its own time; the signal, an abort condition, the halt switch, the time limit
 * and the loss of the watchdog end it early. Its outcome is a value.
 */
export async function runExperiment(job: ExperimentJob, signal: AbortSignal): Promise<ExperimentResult> {
  const { experiment, clock } = job
  const { hypothesis } = experiment
  const stop = new AbortController()
  const end = (because: string) => stop.abort(new HoldfastError('interrupted', { message: because }))
  const onAbort = () => end(messageOf(signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const limit = setTimeout(() => end('its time limit was reached'), experiment.limitMs)
  const never = new AbortController().signal
  const watchers = new Set<(sample: Sample) => void>()
  const samples = (onSample: (sample: Sample) => void) => {
    watchers.add(onSample)
    return { [Symbol.dispose]: () => void watchers.delete(onSample) }
  }
  const observe = (phase: ExperimentPhase, forMs: number, ends?: AbortSignal) => {
    job.onPhase?.(phase)
    const stops = AbortSignal.any([...(phase === 'after' ? [] : [stop.signal]), ...(ends === undefined ? [] : [ends])])
    const watch = phase !== 'after'
    const look = () => lookAtAll(job, watch ? end : undefined)
    const onSample = (each: Sample) => {
      job.onSample?.(phase, each)
      for (const watcher of watchers) watcher(each)
    }
    return sample(
      { clock, everyMs: hypothesis.everyMs, look, onSample },
      { endMs: clock.monotonicMs() + forMs, stop: stops },
      never,
    )
  }
  const held: Held[] = []
  const evidence: { -readonly [Key in keyof ExperimentEvidence]: ExperimentEvidence[Key] } = { faults: [] }
  let canary: RunningCanary | undefined
  try {
    const halted = await job.halted()
    if (halted !== undefined) end(halted)
    canary = await withCanary(job, evidence, stop.signal)
    evidence.before = await observe('before', hypothesis.beforeMs)
    if (evidence.canary === undefined && !stop.signal.aborted && judgePhase(hypothesis.probes, evidence.before).met) {
      Object.assign(evidence, await breakThings(job, held, { observe, end, stop: stop.signal, samples }))
      evidence.after = await observe('after', afterMs(experiment))
    }
  } finally {
    clearTimeout(limit)
    signal.removeEventListener('abort', onAbort)
    if (canary !== undefined) evidence.canary = await canary.settle(firstInjection(held))
  }
  evidence.faults = injectionsOf(experiment).map(({ name }, index) => faultEvidence(held[index], name))
  if (stop.signal.aborted) evidence.stopped = messageOf(stop.signal.reason)
  const expected = {
    hypothesis,
    recoversFrom: experiment.recoversFrom,
    drill: experiment.drill !== undefined,
    ...(experiment.recoversWithinMs === undefined ? {} : { recoversWithinMs: experiment.recoversWithinMs }),
    ...(experiment.canary === undefined ? {} : { canary: experiment.canary }),
  }
  return { ...judgeExperiment(evidence, expected), evidence }
}

function firstInjection(held: readonly Held[]): number | undefined {
  const times = held.flatMap(({ state, injectedAtMs }) => (state === 'not-begun' ? [] : [injectedAtMs]))
  return times.length === 0 ? undefined : Math.min(...times)
}

/** One that cannot be written to is evidence: then nothing is broken. */
async function withCanary(
  { canary, clock }: ExperimentJob,
  evidence: { canary?: CanaryEvidence },
  stop: AbortSignal,
): Promise<RunningCanary | undefined> {
  if (canary === undefined) return undefined
  try {
    return await startCanary(canary, clock, stop)
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    evidence.canary = { written: 0, acknowledged: 0, surviving: 0, lost: 0, unknown: messageOf(error) }
    return undefined
  }
}

function afterMs({ hypothesis, recoversWithinMs = 0, recoversFrom }: Experiment): number {
  return hypothesis.afterMs + (recoversFrom === 'clean-up' ? recoversWithinMs : 0)
}

/** One sample. Abort conditions are looked at beside the hypothesis; one that is not met ends the experiment. */
async function lookAtAll(job: ExperimentJob, end: ((because: string) => void) | undefined) {
  const never = new AbortController().signal
  const { hypothesis, abort } = job.experiment
  const ask = (probes: readonly HypothesisProbe[]) => Promise.all(probes.map((probe) => lookOnce(probe, job, never)))
  const [results, conditions, halted] = await Promise.all([
    ask(hypothesis.probes),
    end === undefined ? [] : ask(abort),
    end === undefined ? undefined : job.halted(),
  ])
  const breached = conditions.find(({ met }) => met === false)
  if (breached !== undefined) end?.(`its abort condition ${breached.probe} ${breached.because ?? 'was not met'}`)
  if (halted !== undefined) end?.(halted)
  return results
}
