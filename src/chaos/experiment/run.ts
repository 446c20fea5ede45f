import type { Experiment, HypothesisProbe } from '../../catalog/index.ts'
import type { BoundFault } from '../../faults/index.ts'
import { HoldfastError, isHoldfastError, messageOf, type Clock } from '../../kernel/index.ts'
import type { Guard } from '../clean-up/guard.ts'
import type { InjectedFault } from '../clean-up/inject.ts'
import type { PhaseEvidence, Sample } from '../hypothesis/evidence.ts'
import { judgePhase } from '../hypothesis/judge-phase.ts'
import { lookOnce, type LookDeps } from '../hypothesis/look.ts'
import { sample } from '../hypothesis/sampler.ts'
import { tooMuch } from './guardrails.ts'
import { judgeExperiment, type ExperimentEvidence, type ExperimentJudgement, type FaultEvidence } from '../verdict.ts'

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
  readonly onPhase?: (phase: ExperimentPhase | 'clean-up') => void
  readonly onSample?: (phase: ExperimentPhase, sample: Sample) => void
}

export interface ExperimentResult extends ExperimentJudgement {
  readonly evidence: ExperimentEvidence
}

interface Held {
  readonly name: string
  readonly fault: BoundFault
  readonly injectedAtMs: number
  injected?: InjectedFault
  state: FaultEvidence['state']
  undo: FaultEvidence['undo']
  targets: readonly string[]
  because?: string
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
  const observe = (phase: ExperimentPhase, forMs: number, ends?: AbortSignal) => {
    job.onPhase?.(phase)
    const stops = AbortSignal.any([...(phase === 'after' ? [] : [stop.signal]), ...(ends === undefined ? [] : [ends])])
    const watch = phase !== 'after'
    const look = () => lookAtAll(job, watch ? end : undefined)
    return sample(
      { clock, everyMs: hypothesis.everyMs, look, onSample: (each) => job.onSample?.(phase, each) },
      { endMs: clock.monotonicMs() + forMs, stop: stops },
      never,
    )
  }
  const held: Held[] = []
  const evidence: { -readonly [Key in keyof ExperimentEvidence]: ExperimentEvidence[Key] } = { faults: [] }
  try {
    const halted = await job.halted()
    if (halted !== undefined) end(halted)
    evidence.before = await observe('before', hypothesis.beforeMs)
    if (!stop.signal.aborted && judgePhase(hypothesis.probes, evidence.before).met) {
      const during = await breakThings(job, held, { observe, end, stop: stop.signal })
      if (during !== undefined) evidence.during = during
      evidence.after = await observe('after', afterMs(experiment))
    }
  } finally {
    clearTimeout(limit)
    signal.removeEventListener('abort', onAbort)
  }
  evidence.faults = experiment.faults.map((entry, index) => faultEvidence(held[index], entry.kind))
  if (stop.signal.aborted) evidence.stopped = messageOf(stop.signal.reason)
  const expected = {
    hypothesis,
    recoversFrom: experiment.recoversFrom,
    drill: false,
    ...(experiment.recoversWithinMs === undefined ? {} : { recoversWithinMs: experiment.recoversWithinMs }),
  }
  return { ...judgeExperiment(evidence, expected), evidence }
}

interface Reins {
  readonly observe: (phase: ExperimentPhase, forMs: number, ends?: AbortSignal) => Promise<PhaseEvidence>
  readonly end: (because: string) => void
  readonly stop: AbortSignal
}

async function breakThings(job: ExperimentJob, held: Held[], { observe, end, stop }: Reins): Promise<PhaseEvidence | undefined> {
  const { clock, experiment } = job
  const broken = new AbortController()
  let seen: Promise<PhaseEvidence> | undefined
  try {
    const guard = await job.openGuard(stop)
    const onLost = () => end('its watchdog is gone')
    guard.watchdogLost.addEventListener('abort', onLost, { once: true })
    seen = observe('during', Number.POSITIVE_INFINITY, broken.signal)
    seen.catch(() => {})
    try {
      for (const [index, fault] of job.faults.entries()) {
        const halted = await job.halted()
        if (halted !== undefined) end(halted)
        if (stop.aborted) break
        const one = await inject(job, guard, fault, index, stop)
        held[index] = one
        if (one.injected === undefined) break
        if (experiment.together) continue
        await pause(clock, holdMs(experiment, index), stop)
        await takeBack(one)
      }
      if (experiment.together)
        await pause(clock, Math.max(...experiment.faults.map((_, index) => holdMs(experiment, index))), stop)
    } finally {
      job.onPhase?.('clean-up')
      for (const one of held.toReversed()) await takeBack(one)
      guard.watchdogLost.removeEventListener('abort', onLost)
      // What could not be taken back is in the evidence by now, and the watchdog goes on with it.
      await disposed(guard).catch((error: unknown) => blame(held, error))
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const fault = job.faults[0]
    if (held.length === 0 && fault !== undefined) held.push(notBegun(fault, messageOf(error)))
  } finally {
    broken.abort()
  }
  return await seen
}

async function inject(job: ExperimentJob, guard: Guard, fault: BoundFault, index: number, stop: AbortSignal): Promise<Held> {
  const one: Held = { name: fault.kind, fault, injectedAtMs: job.clock.monotonicMs(), state: 'failed', undo: 'gone', targets: [] }
  try {
    const injected = await guard.inject(fault, holdMs(job.experiment, index) + job.experiment.limitMs, stop)
    const known: Held = { ...one, injected, state: 'injected', targets: injected.targets, undo: 'unknown' }
    // Targets are chosen anew when it is injected: there may be more of them by now.
    const because = tooMuch(job.experiment, injected)
    if (because === undefined) return known
    await takeBack(known)
    return {
      name: known.name,
      fault,
      injectedAtMs: known.injectedAtMs,
      state: 'failed',
      undo: known.undo,
      targets: known.targets,
      because,
    }
  } catch (error) {
    // It found nothing, or was not there; what there was of it is taken back, unless that is what failed.
    const undo = isHoldfastError(error, 'clean-up-failed') ? 'failed' : 'gone'
    const targets = isHoldfastError(error, 'fault-refused') ? [] : ['unknown']
    return { ...one, undo, targets, because: messageOf(error) }
  }
}

async function disposed(guard: Guard): Promise<void> {
  await guard[Symbol.asyncDispose]()
}

/** Once; the outcome stays in what is held. */
async function takeBack(one: Held): Promise<void> {
  if (one.injected === undefined || one.undo !== 'unknown') return
  try {
    await one.injected.end()
    one.undo = one.fault.irreversible ? 'lasting' : 'gone'
  } catch (error) {
    one.undo = 'failed'
    one.because = messageOf(error)
  }
}

function blame(held: readonly Held[], error: unknown): void {
  for (const one of held) {
    if (one.undo !== 'unknown') continue
    one.undo = 'failed'
    one.because = messageOf(error)
  }
}

/** What comes back by itself needs the time to do so, while it is looked at. */
function holdMs({ faults, recoversWithinMs = 0, recoversFrom, hypothesis }: Experiment, index: number): number {
  const forMs = faults[index]?.forMs ?? 0
  return recoversFrom === 'fault' && recoversWithinMs > 0 ? Math.max(forMs, recoversWithinMs + 2 * hypothesis.everyMs) : forMs
}

function afterMs({ hypothesis, recoversWithinMs = 0, recoversFrom }: Experiment): number {
  return hypothesis.afterMs + (recoversFrom === 'clean-up' ? recoversWithinMs : 0)
}

async function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  await clock.sleep(ms, stop).catch((error: unknown) => {
    if (!stop.aborted) throw error
  })
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

function notBegun(fault: BoundFault, because: string): Held {
  return { name: fault.kind, fault, injectedAtMs: 0, state: 'not-begun', undo: 'gone', targets: ['unknown'], because }
}

function faultEvidence(one: Held | undefined, name: string): FaultEvidence {
  if (one === undefined) return { name, targets: ['unknown'], state: 'not-begun', undo: 'gone' }
  const { targets, state, undo, injectedAtMs, because } = one
  return { name, targets, state, undo, injectedAtMs, ...(because === undefined ? {} : { because }) }
}
