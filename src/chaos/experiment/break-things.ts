import type { Experiment } from '../../catalog/index.ts'
import { isHoldfastError, messageOf, type Clock } from '../../kernel/index.ts'
import type { PhaseEvidence, Sample } from '../hypothesis/evidence.ts'
import type { DrillEvidence } from '../verdict.ts'
import { drillPlan, lastWell, untilWell } from './drill.ts'
import { tooMuch } from './guardrails.ts'
import { blame, hold, notBegun, takeBack, type Held } from './held.ts'
import { injectionsOf, type Injection } from './injections.ts'
import type { ExperimentJob, ExperimentPhase } from './run.ts'

export interface Reins {
  readonly observe: (phase: ExperimentPhase, forMs: number, ends?: AbortSignal) => Promise<PhaseEvidence>
  readonly end: (because: string) => void
  readonly stop: AbortSignal
  /** Calls back with each sample from now on, until what it gives is disposed. */
  readonly samples: (onSample: (sample: Sample) => void) => Disposable
}

interface Broken {
  readonly during?: PhaseEvidence
  readonly drill?: DrillEvidence
}

/**
 * Injects the faults, with the steady state sampled beside them, runs the plan that must bring it back, and takes back the faults whatever
 * happened. What was injected is in `held`.
 */
export async function breakThings(job: ExperimentJob, held: Held[], reins: Reins): Promise<Broken> {
  const { stop, end } = reins
  const broken = new AbortController()
  let seen: Promise<PhaseEvidence> | undefined
  let drill: DrillEvidence | undefined
  try {
    const guard = await job.openGuard(stop)
    const onLost = () => end('its watchdog is gone')
    guard.watchdogLost.addEventListener('abort', onLost, { once: true })
    seen = reins.observe('during', Number.POSITIVE_INFINITY, broken.signal)
    seen.catch(() => {})
    try {
      const injecting = { guard, clock: job.clock, tooMuch: (hit: Held['injected'] & {}) => tooMuch(job.experiment, hit) }
      using well = lastWell(job.experiment, reins)
      const all = await injectAll(job, held, injecting, reins)
      if (all && job.drill !== undefined) {
        const firstMs = Math.min(...held.map(({ injectedAtMs }) => injectedAtMs))
        const onsetMs = () => Math.max(firstMs, well.startedMs())
        drill = await drillPlan({ ...job, drill: job.drill }, onsetMs, reins)
        if (drill.succeeded) await untilWell(job, firstMs, reins)
      }
    } finally {
      job.onPhase?.('clean-up')
      for (const one of held.toReversed()) await takeBack(one, stop)
      guard.watchdogLost.removeEventListener('abort', onLost)
      // What could not be taken back is in the evidence by now, and the watchdog goes on with it.
      await disposed(guard).catch((error: unknown) => blame(held, error))
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const fault = job.faults[0]
    if (held.length === 0 && fault !== undefined) held.push(notBegun(fault.kind, fault, messageOf(error)))
    else if (job.drill !== undefined) drill ??= { succeeded: false, because: messageOf(error) }
  } finally {
    broken.abort()
  }
  const during = await seen
  return { ...(during === undefined ? {} : { during }), ...(drill === undefined ? {} : { drill }) }
}

/**
 * Whether all of them were there. With `together` and with a plan they stay; else each is taken back after its time. With a plan, the next one
 * begins when that time is over.
 */
async function injectAll(
  job: ExperimentJob,
  held: Held[],
  injecting: Parameters<typeof hold>[0],
  { end, stop }: Pick<Reins, 'end' | 'stop'>,
): Promise<boolean> {
  const { clock, experiment } = job
  const injections = injectionsOf(experiment)
  const stays = experiment.together || experiment.drill !== undefined
  for (const [index, injection] of injections.entries()) {
    const halted = await job.halted()
    if (halted !== undefined) end(halted)
    if (stop.aborted) return false
    const fault = job.faults[injection.entry]
    if (fault === undefined) return false
    const heldMs = holdMs(experiment, injection)
    const one = await hold(injecting, { name: injection.name, fault, limitMs: heldMs + experiment.limitMs }, stop)
    held[index] = one
    if (one.injected === undefined) return false
    if (stays) {
      if (!experiment.together && index < injections.length - 1) await pause(clock, injection.forMs, stop)
      continue
    }
    await pause(clock, heldMs, stop)
    await takeBack(one, stop)
    if (injection.everyMs === undefined) continue
    await pause(clock, one.injectedAtMs + injection.everyMs - clock.monotonicMs(), stop)
  }
  if (experiment.together && experiment.drill === undefined)
    await pause(clock, Math.max(...injections.map((injection) => holdMs(experiment, injection))), stop)
  return !stop.aborted
}

async function disposed(guard: AsyncDisposable): Promise<void> {
  await guard[Symbol.asyncDispose]()
}

/** What comes back by itself needs the time to do so, while it is looked at. */
function holdMs({ recoversWithinMs = 0, recoversFrom, hypothesis }: Experiment, { forMs }: Injection): number {
  return recoversFrom === 'fault' && recoversWithinMs > 0 ? Math.max(forMs, recoversWithinMs + 2 * hypothesis.everyMs) : forMs
}

async function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  if (ms <= 0) return
  await clock.sleep(ms, stop).catch((error: unknown) => {
    if (!stop.aborted) throw error
  })
}
