import type { DetectionWatch, Probe } from '../catalog/index.ts'
import type { Clock } from '../kernel/index.ts'
import { ruleOf } from './describe-probe.ts'
import { holdAfter, type Hold, type SeenState } from './hold.ts'
import { lookAt, type LookDeps } from './look.ts'
import { createPublisher, type PublishEvent } from './publisher.ts'
import type { ObserverReport, PlanObservation, ProbeOutcome } from './report.ts'
import type { Reporter } from './reporter.ts'

export interface WatchedPlan {
  readonly plan: string
  readonly watch: DetectionWatch
}

export interface ObserverJob extends LookDeps {
  readonly observer: string
  readonly site: string
  readonly plans: readonly WatchedPlan[]
  /** Whether the observer itself is on the network. */
  readonly reference?: Probe
  readonly reporter: Reporter
  /** Larger than at any earlier start on this machine. */
  readonly epoch: number
  readonly identity: Pick<ObserverReport, 'boot' | 'host' | 'pid'>
  readonly onEvent: (event: ObserverEvent) => void
}

export type ObserverEvent =
  | PublishEvent
  | {
      readonly type: 'observed'
      readonly plan: string
      readonly state: SeenState
      readonly heldMs: number
      /** What was seen before, when that was something else. */
      readonly before?: SeenState
      readonly failing: readonly ProbeOutcome[]
    }

/** Machines pause for as long as this even when all is well. */
const leastGapMs = 1000

/**
 * Looks at every plan on its own fixed cadence and reports after each look, until the signal aborts. A report that does not get through keeps no
 * look from happening: the newest one is sent when the way is free again. With `once`: one look at each, one report, which must get through.
 */
export async function observe(job: ObserverJob, options: { readonly once?: boolean }, signal: AbortSignal): Promise<void> {
  const startedMs = job.clock.monotonicMs()
  const seen = new Map<string, Seen>()
  const compose = (epoch: number, seq: number): ObserverReport => ({
    version: 1,
    observer: job.observer,
    site: job.site,
    epoch,
    seq,
    ...job.identity,
    sentAt: job.clock.now().toISOString(),
    upMs: job.clock.monotonicMs() - startedMs,
    plans: Object.fromEntries([...seen].map(([plan, each]) => [plan, observationOf(each, job.clock)])),
  })
  const publisher = createPublisher({ ...job, compose }, signal)
  if (options.once === true) {
    for (const { plan, watch } of job.plans) seen.set(plan, await lookOnce(plan, watch, job, undefined, signal))
    await publisher.publishNow()
    return
  }
  await using _publisher = publisher
  const watching = job.plans.map(async ({ plan, watch }) => {
    for (let dueMs = job.clock.monotonicMs(); ;) {
      seen.set(plan, await lookOnce(plan, watch, job, seen.get(plan), signal))
      publisher.offer()
      // A look that took longer than the cadence skips those that it has missed.
      dueMs += watch.everyMs * Math.max(1, Math.ceil((job.clock.monotonicMs() - dueMs) / watch.everyMs))
      await job.clock.sleep(Math.max(0, dueMs - job.clock.monotonicMs()), signal)
    }
  })
  await Promise.race([Promise.all(watching), publisher.superseded])
}

interface Seen {
  readonly rule: string
  readonly hold: Hold
  readonly probes: readonly ProbeOutcome[]
  readonly reference: ProbeOutcome | undefined
}

async function lookOnce(
  plan: string,
  watch: DetectionWatch,
  job: ObserverJob,
  before: Seen | undefined,
  signal: AbortSignal,
): Promise<Seen> {
  const startedMs = job.clock.monotonicMs()
  const [reference, ...probes] = await Promise.all([
    job.reference === undefined ? undefined : lookAt(job.reference, job, signal),
    ...watch.probes.map((probe) => lookAt(probe, job, signal)),
  ])
  const endedMs = job.clock.monotonicMs()
  const failing = probes.filter(({ well }) => !well)
  const symptoms = watch.failing === 'all' ? failing.length === probes.length : failing.length > 0
  const state = !symptoms ? 'up' : reference?.well === false ? 'blind' : 'down'
  const hold = holdAfter(before?.hold, { startedMs, endedMs, state }, Math.max(2 * watch.everyMs, leastGapMs))
  job.onEvent({
    type: 'observed',
    plan,
    state,
    heldMs: hold.lastEndedMs - hold.firstEndedMs,
    ...(before === undefined || before.hold.state === state ? {} : { before: before.hold.state }),
    failing: [...failing, ...(reference?.well === false ? [reference] : [])],
  })
  return { rule: ruleOf(watch), hold, probes, reference }
}

function observationOf({ rule, hold, probes, reference }: Seen, clock: Clock): PlanObservation {
  return {
    rule,
    state: hold.state,
    heldMs: hold.lastEndedMs - hold.firstEndedMs,
    beganMs: hold.lastEndedMs - hold.firstStartedMs,
    looks: hold.looks,
    lookedAgoMs: Math.max(0, clock.monotonicMs() - hold.lastEndedMs),
    probes: [...probes],
    ...(reference === undefined ? {} : { reference }),
  }
}
