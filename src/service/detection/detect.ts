import { maintenanceAt, outageCountsFrom, type Catalog, type OpenMaintenance, type Plan } from '../../catalog/index.ts'
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
export interface Detection {
  readonly time: Date
  readonly service: string
  readonly plan: string
  readonly verdict: DetectionVerdict['verdict']
  /** When it began, as far as is known: the onset. */
  readonly since?: Date
  /** Where it began in a window of announced maintenance that has ended: from when it counts as an outage. */
  readonly countsFrom?: Date
  /** A window that is open now, of a service that the plan recovers. */
  readonly maintenance?: OpenMaintenance
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
  const announced = announcedFor(catalog, plan, found, now)
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

/**
 * What was announced for the services of a plan. While a window is open, in which any of them may be down, or which follows upon the one that the outage began in,
 * nothing is an outage.
 */
function announcedFor(
  catalog: Catalog,
  { recovers }: Plan,
  found: DetectionVerdict,
  now: Date,
): Pick<Detection, 'countsFrom' | 'maintenance'> {
  const services = recovers.flatMap((name) => catalog.services[name] ?? [])
  const open = maintenanceAt(catalog, now)
  const [maintenance] = services.flatMap((service) => open(service) ?? [])
  if (maintenance !== undefined) return { maintenance }
  if (!('since' in found)) return {}
  const countsFrom = outageCountsFrom(catalog, services, { since: found.since, now })
  return countsFrom === undefined || countsFrom.getTime() === found.since.getTime() ? {} : { countsFrom }
}

/** What is recorded of runs may be damaged. The verdict is as good as ever then, but nothing is started on half a memory. */
async function startOf(
  catalog: Catalog,
  plan: Plan,
  question: Pick<StartQuestion, 'verdict' | 'decide' | 'quietMs' | 'now'>,
  { countsFrom, maintenance }: Pick<Detection, 'countsFrom' | 'maintenance'>,
  signal: AbortSignal,
): Promise<Detection['start']> {
  if (maintenance !== undefined && question.verdict.verdict === 'down')
    return { start: false, because: 'maintenance', until: maintenance.until }
  try {
    const runs = await runsOf(catalog, plan)
    if (question.verdict.verdict !== 'down') return decideStart({ ...question, ...runs })
    // Runs of other machines are in the ledgers, which are read only when it matters.
    const lastRun = laterRun(runs.lastRun, await recordedRun(catalog, plan, signal))
    const start = decideStart({ ...question, ...runs, ...(lastRun === undefined ? {} : { lastRun }) })
    return start.start && countsFrom !== undefined ? { ...start, onset: countsFrom } : start
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
