import type { Catalog } from '../../catalog/index.ts'
import type { RunEvent } from '../../durable/index.ts'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import { isolationText, type GamedayFacts, type GamedayFigures } from '../../recovery/index.ts'
import { openRunsAt } from '../recovery/run-views.ts'
import { drillHistory, type RecordedDrill } from './history.ts'
import { findingsIn } from './known-findings.ts'

const shownEarlier = 4

/** What is on record of a drill; `latest` is the newest, and the beginning of an id will do. Throws `run-not-found`. */
export async function gamedayOf(catalog: Catalog, run: string, signal: AbortSignal): Promise<GamedayFacts> {
  const history = await drillHistory(catalog, Object.keys(catalog.plans), signal)
  const found = history.drills.filter(({ runId, mode }) => (run === 'latest' ? mode !== 'real' : runId.startsWith(run)))
  const drill = found.find(({ runId }) => runId === run) ?? found[0]
  if (drill === undefined || (run !== 'latest' && drill.runId !== run && found.length > 1)) {
    throw new HoldfastError(drill === undefined ? 'run-not-found' : 'usage', {
      message: drill === undefined ? `no ledger has a drill ${run}` : `'${run}' could be any of ${found.length} drills`,
      hint: '`holdfast drill list` shows the drills; of one that has not ended, `holdfast run show` says how it stands',
    })
  }
  const earlier = history.drills.filter(
    ({ plan, mode, time, outcome }) => plan === drill.plan && mode === drill.mode && outcome === 'completed' && time < drill.time,
  )
  const known = findingsIn(history)
  return {
    ...about(drill),
    achieved: drill.services.flatMap((service) => figures(service, earlier)),
    phases: Object.entries(drill.phases).map(([name, ms]) => [name.replace(/Ms$/, ''), ms ?? 0] as const),
    timeline: await timeline(catalog, drill),
    findings: drill.findings.map((finding) => {
      const closed = known.get(finding.id)?.closed
      return { ...finding, ...(closed === undefined ? {} : { closed: { by: closed.by, why: closed.why } }) }
    }),
    records: drill.records,
  }
}

function about({ runId, plan, planHash, mode, form, restoreFrom, time, onset, outcome, drill }: RecordedDrill) {
  const { isolation } = drill ?? {}
  return {
    runId,
    plan,
    planHash,
    mode: mode === 'real' ? ('recovery' as const) : mode === 'drill-live' ? ('live' as const) : ('sandbox' as const),
    began: onset === undefined ? time : new Date(onset),
    status: drill?.status ?? outcome,
    participants: drill?.participants ?? [],
    changes: drill?.changes ?? [],
    ...(form === undefined ? {} : { form }),
    ...(restoreFrom === undefined ? {} : { restoreFrom }),
    ...(drill === undefined ? {} : { requestedBy: drill.requestedBy }),
    ...(drill?.scenario === undefined ? {} : { scenario: drill.scenario }),
    ...(drill?.window === undefined ? {} : { window: drill.window }),
    ...(drill?.cleanedUp === undefined ? {} : { cleanedUp: drill.cleanedUp }),
    ...(drill?.failure === undefined ? {} : { failure: drill.failure }),
    ...(isolation === undefined
      ? {}
      : {
          isolation: isolationText({
            network: isolation.network,
            because: isolation.because,
            allowed: { steps: isolation.allowedSteps, hosts: isolation.allowedHosts },
          }),
        }),
  }
}

function figures(
  { service, declared, rpaMs, rtaMs, compared, verdict }: RecordedDrill['services'][number],
  earlier: readonly RecordedDrill[],
): GamedayFigures[] {
  const before = (name: 'rpaMs' | 'rtaMs') =>
    earlier.flatMap(({ services }) => services.find((other) => other.service === service)?.[name] ?? []).slice(0, shownEarlier)
  const judged = (declaredMs: number | undefined, ms: number | undefined) => {
    if (compared.checksFailed > 0) return 'missed'
    if (declaredMs === undefined || ms === undefined) return verdict === 'missed' ? 'missed' : 'unknown'
    return compared.checks === 0 ? 'unknown' : ms <= declaredMs ? 'met' : 'missed'
  }
  const figure = (objective: 'RPO' | 'RTO', declaredMs: number | undefined, ms: number | undefined, earlierMs: number[]) => ({
    service,
    objective,
    verdict: judged(declaredMs, ms),
    earlierMs,
    ...(declaredMs === undefined ? {} : { declaredMs }),
    ...(ms === undefined ? {} : { actualMs: ms }),
  })
  return [figure('RPO', declared.rpoMs, rpaMs, before('rpaMs')), figure('RTO', declared.rtoMs, rtaMs, before('rtaMs'))]
}

/** From the run's own history where this machine has it; else from what the ledger has of its steps. */
async function timeline(catalog: Catalog, { runId, drill }: RecordedDrill): Promise<GamedayFacts['timeline']> {
  await using engine = openRunsAt(catalog.file)
  const moments: { at: Date; what: string }[] = []
  try {
    for await (const event of engine.history(runId)) {
      const what = eventInWords(event)
      if (what !== undefined) moments.push({ at: new Date(event.at), what })
    }
    if (moments.length > 0) return moments
  } catch (error) {
    if (!isHoldfastError(error)) throw error
  }
  const steps = drill?.steps ?? []
  return steps
    .flatMap(({ id, state, startedAt, endedAt, error }) => [
      ...(startedAt === undefined ? [] : [{ at: new Date(startedAt), what: `${id} began` }]),
      ...(endedAt === undefined
        ? []
        : [{ at: new Date(endedAt), what: `${id} ${state}${error === undefined ? '' : `: ${error}`}` }]),
    ])
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
}

function eventInWords(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'submitted':
      return 'the drill began'
    case 'resumed':
      return `gone on with by process ${event.pid} on ${event.host}`
    case 'step-committed':
      return `${event.step} done`
    case 'step-failed':
      return `${event.step} failed: ${event.error.message}`
    case 'wait-started':
      return `waiting for ${event.name}`
    case 'signal':
      return `${event.name} answered`
    case 'cancel-requested':
      return `cancelled: ${event.reason}`
    case 'ended':
      return 'the drill ended'
    default:
      return undefined
  }
}
