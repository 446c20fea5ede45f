import type { Catalog, Plan } from '../../catalog/index.ts'
import {
  decideStart,
  judge,
  ruleOf,
  type DetectionVerdict,
  type ObserverVoice,
  type ProbeOutcome,
  type Sight,
  type StartDecision,
  type StartQuestion,
} from '../../detection/index.ts'
import { isHoldfastError, systemClock } from '../../kernel/index.ts'
import { announcedFor, type Announced } from './announced.ts'
import { laterRun, recordedRun, runsOf } from './plan-runs.ts'
import type { HeardObserver, ReportReader } from './read-reports.ts'
import { staleAfterMs, type WatchedService } from './watched-plan.ts'

/** What one observer says, and all that is known of how it comes to it. */
export type ObserverView = ObserverVoice & {
  readonly site: string
  /** Why its reports could not be read. */
  readonly problem?: string
  readonly epoch?: number
  readonly seq?: number
  /** How long the state has been seen without interruption. */
  readonly heldMs?: number
  readonly probes?: readonly ProbeOutcome[]
  readonly reference?: ProbeOutcome
  /** Where it could be measured, or is at least so much. */
  readonly clockAheadMs?: number
}

/** The answer of `holdfast detect`. */
export interface Detection extends Announced {
  readonly time: Date
  readonly service: string
  readonly plan: string
  readonly verdict: DetectionVerdict['verdict']
  /** When it began, as far as is known: the onset. */
  readonly since?: Date
  /** The observers that see it. */
  readonly by?: readonly string[]
  /** Why it is unknown. */
  readonly because?: Extract<DetectionVerdict, { readonly verdict: 'unknown' }>['because']
  readonly rule: {
    readonly needed: number
    readonly of: number
    readonly forMs: number
    readonly quietMs: number
    readonly decide: 'ask' | 'auto'
  }
  readonly observers: readonly ObserverView[]
  /** Whether the plan may be started without asking. */
  readonly start:
    | StartDecision
    | { readonly start: false; readonly because: 'maintenance'; readonly until: Date }
    | { readonly start: false; readonly because: 'runs-unreadable'; readonly message: string }
}

/** Reads what every observer reports, and judges it. */
export async function detect(
  catalog: Catalog,
  { service, plan, watch, decide }: WatchedService,
  reader: ReportReader,
  signal: AbortSignal,
): Promise<Detection> {
  const heard = await reader.read(watch.observers, signal)
  const now = systemClock.now()
  const { needed, forMs, quietMs } = watch
  const rule = { observers: watch.observers, needed, forMs, staleAfterMs: staleAfterMs(watch), rule: ruleOf(watch) }
  const found = judge(
    rule,
    heard.flatMap((each) => sightOf(plan.name, each)),
    now,
  )
  const announced = announcedFor(catalog, plan, found, { forMs, now })
  const start = await startOf(catalog, plan, { verdict: found, decide, quietMs, now }, announced, signal)
  return {
    time: now,
    service,
    plan: plan.name,
    verdict: found.verdict,
    ...('since' in found ? { since: found.since, by: found.by } : {}),
    ...announced,
    ...('because' in found ? { because: found.because } : {}),
    rule: { needed, of: watch.observers.length, forMs, quietMs, decide },
    observers: found.voices.map((voice) =>
      viewOf(
        voice,
        catalog.observers[voice.observer]?.site ?? '',
        plan.name,
        heard.find(({ observer }) => observer === voice.observer),
      ),
    ),
    start,
  }
}

/** What is recorded of runs may be damaged. The verdict is as good as ever then, but nothing is started on half a memory. */
async function startOf(
  catalog: Catalog,
  plan: Plan,
  question: Pick<StartQuestion, 'verdict' | 'decide' | 'quietMs' | 'now'>,
  { excusedUntil }: Announced,
  signal: AbortSignal,
): Promise<Detection['start']> {
  try {
    const runs = await runsOf(catalog, plan)
    if (question.verdict.verdict !== 'down') return decideStart({ ...question, ...runs })
    // Runs of other machines are in the ledgers, which are read only when it matters.
    const lastRun = laterRun(runs.lastRun, await recordedRun(catalog, plan, signal))
    const start = decideStart({ ...question, ...runs, ...(lastRun === undefined ? {} : { lastRun }) })
    // What else keeps it from starting, such as a run that is open, is to be known in a window, too.
    const isFree = start.start || start.because === 'a-person-decides'
    return isFree && excusedUntil !== undefined ? { start: false, because: 'maintenance', until: excusedUntil } : start
  } catch (error) {
    if (!isHoldfastError(error) || error.code === 'internal' || signal.aborted) throw error
    return { start: false, because: 'runs-unreadable', message: error.message }
  }
}

function sightOf(plan: string, { observer, heard }: HeardObserver): Sight[] {
  const seen = heard?.report.plans[plan]
  if (heard === undefined || seen === undefined) return []
  const { report, ageMs } = heard
  const { rule, state, heldMs, beganMs, lookedAgoMs } = seen
  return [{ observer, epoch: report.epoch, seq: report.seq, ageMs: ageMs + lookedAgoMs, rule, state, heldMs, beganMs }]
}

function viewOf(voice: ObserverVoice, site: string, plan: string, { heard, problem }: Partial<HeardObserver> = {}): ObserverView {
  const seen = heard?.report.plans[plan]
  const ahead = heard?.clockAheadMs ?? (heard !== undefined && heard.ageMs < 0 ? -heard.ageMs : undefined)
  return {
    ...voice,
    site,
    ...(problem === undefined ? {} : { problem }),
    ...(heard === undefined ? {} : { epoch: heard.report.epoch, seq: heard.report.seq }),
    ...(ahead === undefined ? {} : { clockAheadMs: ahead }),
    ...(seen === undefined ? {} : { heldMs: seen.heldMs, probes: seen.probes }),
    ...(seen?.reference === undefined ? {} : { reference: seen.reference }),
  }
}
