import { drillOf, plansIn, type Catalog, type Plan as CatalogPlan, type ServiceEnvironment } from '../../catalog/index.ts'
import { compilePlan, planHash } from '../../recovery/index.ts'
import { codeVersion } from '../recovery/code-version.ts'
import { drillHistory, isGood, type DrillHistory, type RecordedDrill } from './history.ts'

/**
 * `never`: no drill of the plan is on record that worked. `failed`: the last one did not. `plan-changed`: it was another plan, or another
 * version of Holdfast. `overdue`: it is too long ago. `unknown`: a ledger could not be read, and what can be read is not enough.
 */
export type DueState = 'never' | 'failed' | 'plan-changed' | 'overdue' | 'unknown' | 'soon' | 'current'

export interface DueDrill {
  readonly plan: string
  readonly recovers: readonly string[]
  readonly kind: 'sandbox' | 'live'
  readonly state: DueState
  /** Silence, failure and doubt alike: it must be drilled now. */
  readonly overdue: boolean
  readonly everyMs: number
  /** The last that worked. A live drill, and a recovery, count for both kinds. */
  readonly last?: { readonly runId: string; readonly at: Date; readonly mode: RecordedDrill['mode'] }
  readonly dueAt?: Date
}

export interface DueReport {
  readonly time: Date
  /** Overdue ones first, then by date. */
  readonly drills: readonly DueDrill[]
  readonly unseen: DrillHistory['unseen']
}

const soonShare = 0.2
const clockToleranceMs = 5000

/** Which drills of a catalog's plans are due, or of plans that recover a service of one environment, by what is on record. */
export async function drillsDue(
  catalog: Catalog,
  { now = new Date(), environment }: { readonly now?: Date; readonly environment?: ServiceEnvironment | undefined },
  signal: AbortSignal,
): Promise<DueReport> {
  const plans = plansIn(catalog, environment)
  const names = plans.map(({ name }) => name)
  return dueDrills(plans, await drillHistory(catalog, names, signal), now)
}

/** The same of a history that was read already. */
export function dueDrills(plans: readonly CatalogPlan[], history: DrillHistory, now: Date): DueReport {
  const drills = plans.filter(isDrilled).flatMap((plan) => {
    const { everyMs, gamedayEveryMs } = drillOf(plan)
    const about = { plan, history, now }
    return [
      ...(everyMs === undefined ? [] : [dueDrill('sandbox', everyMs, about)]),
      ...(gamedayEveryMs === undefined ? [] : [dueDrill('live', gamedayEveryMs, about)]),
    ]
  })
  return { time: now, drills: drills.toSorted(byUrgency), unseen: history.unseen }
}

/** A plan that only others use cannot run by itself. */
function isDrilled({ recovers, openParams }: CatalogPlan): boolean {
  return recovers.length > 0 && openParams.length === 0
}

interface About {
  readonly plan: CatalogPlan
  readonly history: DrillHistory
  readonly now: Date
}

function dueDrill(kind: DueDrill['kind'], everyMs: number, { plan, history, now }: About): DueDrill {
  const counting = history.drills.filter(
    ({ plan: name, mode, time }) =>
      name === plan.name &&
      (kind === 'sandbox' || mode === 'real' || mode === 'drill-live') &&
      time.getTime() <= now.getTime() + clockToleranceMs,
  )
  const newest = counting.find(({ outcome }) => outcome !== 'aborted')
  const good = counting.find(isGood)
  const dueAt = good === undefined ? undefined : new Date(good.time.getTime() + everyMs)
  const state = stateOf({ newest, good, dueAt, kind, everyMs, now, hash: planHash(compilePlan(plan), codeVersion()) })
  const isBlind = history.unseen.length > 0 && (state === 'never' || state === 'overdue')
  return {
    plan: plan.name,
    recovers: plan.recovers,
    kind,
    state: isBlind ? 'unknown' : state,
    overdue: state !== 'current' && state !== 'soon',
    everyMs,
    ...(good === undefined ? {} : { last: { runId: good.runId, at: good.time, mode: good.mode } }),
    ...(dueAt === undefined ? {} : { dueAt }),
  }
}

function stateOf(facts: {
  readonly newest: RecordedDrill | undefined
  readonly good: RecordedDrill | undefined
  readonly dueAt: Date | undefined
  readonly kind: DueDrill['kind']
  readonly everyMs: number
  readonly now: Date
  readonly hash: string
}): DueState {
  const { newest, good, dueAt, kind, everyMs, now, hash } = facts
  if (newest !== undefined && newest !== good) return 'failed'
  if (good === undefined || dueAt === undefined) return 'never'
  // A gameday is for people: that the plan changed is for the next sandbox drill to show.
  if (kind === 'sandbox' && good.planHash !== hash) return 'plan-changed'
  if (dueAt <= now) return 'overdue'
  return dueAt.getTime() - now.getTime() < everyMs * soonShare ? 'soon' : 'current'
}

function byUrgency(a: DueDrill, b: DueDrill): number {
  return Number(b.overdue) - Number(a.overdue) || (a.dueAt?.getTime() ?? 0) - (b.dueAt?.getTime() ?? 0)
}
