import type { Catalog } from '../../catalog/index.ts'
import { inputOf, openRunsAt } from '../recovery/run-views.ts'
import { drillHistory, type DrillHistory, type RecordedDrill } from './history.ts'
import { planNamed } from './prepare.ts'

export interface ListedDrill {
  readonly runId: string
  readonly plan: string
  readonly mode: 'sandbox' | 'live'
  readonly time: Date
  /** `interrupted`, `running`, `unrecorded`: of a run on this machine that no ledger has. */
  readonly state: RecordedDrill['outcome'] | 'interrupted' | 'running' | 'unrecorded'
  readonly verdict: 'met' | 'missed' | 'unknown'
  /** The worst of the plan's services. */
  readonly rpaMs?: number
  readonly rtaMs?: number
  /** Against the drill of the same kind and plan before it: more is slower. */
  readonly rtaChangeMs?: number
  readonly findings: number
}

/** Drills that a ledger has, and those of this machine that none has (yet). Newest first. Throws `unknown-service` for a name that is neither. */
export async function listDrills(
  catalog: Catalog,
  name: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly drills: readonly ListedDrill[]; readonly unseen: DrillHistory['unseen'] }> {
  const plans = name === undefined ? Object.keys(catalog.plans) : [planNamed(catalog, name).name]
  const { drills, unseen } = await drillHistory(catalog, plans, signal)
  const recorded = drills.filter(({ mode }) => mode !== 'real')
  const listed = recorded.map((drill, index) => listedDrill(drill, recorded.slice(index + 1)))
  const known = new Set(recorded.map(({ runId }) => runId))
  const here = (await runsHere(catalog, plans)).filter(({ runId }) => !known.has(runId))
  return { drills: [...listed, ...here].toSorted((a, b) => b.time.getTime() - a.time.getTime()), unseen }
}

function listedDrill(drill: RecordedDrill, earlier: readonly RecordedDrill[]): ListedDrill {
  const { runId, plan, time, onset, outcome, services, findings } = drill
  const rtaMs = worst(services.map((service) => service.rtaMs))
  const rpaMs = worst(services.map((service) => service.rpaMs))
  const before = earlier.find((other) => other.plan === plan && other.mode === drill.mode && other.outcome === 'completed')
  const beforeMs = before === undefined ? undefined : worst(before.services.map((service) => service.rtaMs))
  return {
    runId,
    plan,
    mode: kindOf(drill),
    time: onset === undefined ? time : new Date(onset),
    state: outcome,
    verdict: verdictOf(services),
    ...(rpaMs === undefined ? {} : { rpaMs }),
    ...(rtaMs === undefined ? {} : { rtaMs }),
    ...(rtaMs === undefined || beforeMs === undefined ? {} : { rtaChangeMs: rtaMs - beforeMs }),
    findings: findings.length,
  }
}

export function kindOf({ mode }: Pick<RecordedDrill, 'mode'>): 'sandbox' | 'live' {
  return mode === 'drill-live' || mode === 'real' ? 'live' : 'sandbox'
}

/** Undefined when one is not known: the worst may be that one. */
function worst(durations: readonly (number | undefined)[]): number | undefined {
  const known = durations.filter((ms) => ms !== undefined)
  return known.length === durations.length && known.length > 0 ? Math.max(...known) : undefined
}

function verdictOf(services: RecordedDrill['services']): ListedDrill['verdict'] {
  if (services.some(({ verdict }) => verdict === 'missed')) return 'missed'
  return services.length > 0 && services.every(({ verdict }) => verdict === 'met') ? 'met' : 'unknown'
}

async function runsHere(catalog: Catalog, plans: readonly string[]): Promise<ListedDrill[]> {
  await using engine = openRunsAt(catalog.file)
  return (await engine.list()).flatMap((view) => {
    try {
      const { plan, drill } = inputOf(view)
      if (drill === undefined || !plans.includes(plan.name)) return []
      const state = view.state === 'interrupted' ? view.state : view.endedAt === undefined ? 'running' : 'unrecorded'
      const time = new Date(view.submittedAt)
      return [
        { runId: view.runId, plan: plan.name, mode: drill.mode, time, state, verdict: 'unknown' as const, findings: 0 } as const,
      ]
    } catch {
      // A run of another version tells nothing here.
      return []
    }
  })
}
