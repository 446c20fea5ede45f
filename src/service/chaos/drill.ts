import type { Catalog, Experiment } from '../../catalog/index.ts'
import type { DrillJob } from '../../chaos/index.ts'
import { HoldfastError, systemClock } from '../../kernel/index.ts'
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

/** Throws `usage` when it has no observers. */
export function watchedPlan(catalog: Catalog, name: string): WatchedService {
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
