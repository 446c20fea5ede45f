import { actions } from '../../actions/index.ts'
import type { Catalog, Experiment } from '../../catalog/index.ts'
import type { DrillJob } from '../../chaos/index.ts'
import { HoldfastError, isHoldfastError, systemClock } from '../../kernel/index.ts'
import { bindAction, inspectPlan, planAsRun, type StepFinding } from '../../recovery/index.ts'
import { openReportReader } from '../detection/read-reports.ts'
import { waitUntilDown } from '../detection/wait-until-down.ts'
import type { WatchedService } from '../detection/watched-plan.ts'
import { prepareDrill } from '../drill/prepare.ts'
import { runDrill } from '../drill/run.ts'

/** How the plan of an experiment is run: as a live drill, by the runner of every other. Throws `usage` when nobody would notice. */
export function experimentDrill(catalog: Catalog, { name, drill }: Experiment, experimentRun: string): DrillJob | undefined {
  const plan = drill === undefined ? undefined : catalog.plans[drill.plan]
  if (drill === undefined || plan === undefined) return undefined
  const watched = drill.detection.by === 'observers' ? watchedPlan(catalog, drill.plan) : undefined
  return {
    ...(watched === undefined ? {} : { detect: (signal: AbortSignal) => untilObserved(catalog, watched, signal) }),
    async run(onsetAt, signal) {
      const calledMs = systemClock.monotonicMs()
      const scenario = `experiment ${name}`
      const request = { catalog, name: plan.name, plan, mode: 'live', onsetAt, scenario, experiment: experimentRun } as const
      const prepared = await prepareDrill(request, signal)
      let beganMs: number | undefined
      const onEvent = () => void (beganMs ??= systemClock.monotonicMs())
      const { runId, outcome } = await runDrill(request, prepared, { onEvent }, signal)
      const { status, failure, findings } = outcome
      const blocker = findings.find(({ severity }) => severity === 'blocker')
      const because = failure?.error.message ?? blocker?.message ?? status
      return {
        runId,
        succeeded: status === 'succeeded',
        ...(status === 'succeeded' ? {} : { because: status === 'unverified' ? 'nothing of it was checked' : because }),
        decideMs: (beganMs ?? calledMs) - calledMs,
      }
    },
  }
}

/** Why the plan of an experiment cannot be run from it, as far as that can be told before anything is broken. */
export async function drillProblems(
  catalog: Catalog,
  { drill }: Experiment,
  signal: AbortSignal,
): Promise<Pick<StepFinding, 'message' | 'hint'>[]> {
  const plan = drill === undefined ? undefined : catalog.plans[drill.plan]
  if (drill === undefined || plan === undefined) return []
  try {
    if (drill.detection.by === 'observers') watchedPlan(catalog, drill.plan)
    const { input, findings } = await prepareDrill({ catalog, name: plan.name, plan, mode: 'live' }, signal)
    // What its steps need of the world is looked at when they are about to run: by then it is another one.
    const own = inspectPlan(planAsRun(input), { bind: ({ kind, params }) => bindAction(actions, kind, params) })
    return [...findings, ...own].filter(({ severity }) => severity === 'blocker')
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return [{ message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }]
  }
}

/** Throws `usage` when it has no observers. */
function watchedPlan(catalog: Catalog, name: string): WatchedService {
  const plan = catalog.plans[name]
  const { watch, decide = 'ask', notify = [] } = plan?.detection ?? {}
  if (plan !== undefined && watch !== undefined) return { service: plan.recovers[0] ?? '', plan, watch, decide, notify }
  throw new HoldfastError('usage', {
    message: `nobody watches over the plan ${name}: it has no observers`,
    hint: `give plans.${name}.detection its observers, quorum and for, or let the hypothesis detect it`,
  })
}

async function untilObserved(catalog: Catalog, watched: WatchedService, signal: AbortSignal): Promise<void> {
  await using reader = openReportReader(catalog, systemClock)
  await waitUntilDown(catalog, watched, reader, { onLook: async () => {} }, signal)
}
