import { isHoldfastError, type Json } from '../../kernel/index.ts'
import type { PlanOutcome } from '../outcome.ts'
import type { PlanInput } from '../plan.ts'
import type { PlanRun } from '../plan-run.ts'
import type { DrillInput } from './input.ts'
import type { DrillCleanUp, DrillReport } from './report.ts'

export interface DrillRun {
  readonly runId: string
  readonly input: PlanInput
  readonly drill: DrillInput
}

/**
 * What is done around the plan of a drill.
 *
 * open     makes the sandbox, before anything is looked at. Idempotent.
 * cleanUp  takes away whatever the drill made, however far it came; asked again after a crash, so it takes what is left.
 * report   what the drill achieved and found.
 */
export interface DrillKeeper {
  open(run: DrillRun): Promise<void>
  cleanUp(run: DrillRun, signal: AbortSignal): Promise<DrillCleanUp>
  report(run: DrillRun, outcome: PlanOutcome, cleanUp: DrillCleanUp | undefined, signal: AbortSignal): Promise<DrillReport>
}

const cleanUpTimeoutMs = 900_000
const reportTimeoutMs = 120_000
const retry = { attempts: 3, delayMs: 1000, factor: 2, maxDelayMs: 10_000 }

/** Before the preflight of a drill. */
export async function openDrill(run: PlanRun, keeper: DrillKeeper | undefined): Promise<void> {
  const { drill } = run.input
  if (drill !== undefined) await keeper?.open({ runId: run.context.runId, input: run.input, drill })
}

/** When the plan of a drill has ended, however it did: cleaned up even when the run was cancelled, and reported. */
export async function concludeDrill(run: PlanRun, outcome: PlanOutcome, keeper: DrillKeeper | undefined): Promise<PlanOutcome> {
  const { drill } = run.input
  if (drill === undefined || keeper === undefined) return outcome
  const about = { runId: run.context.runId, input: run.input, drill }
  const cleanUp = drill.sandbox === undefined ? undefined : await cleanUpDurably(run, about, keeper)
  const report = await run.context.step(
    'drill:report',
    async ({ signal }) => (await keeper.report(about, outcome, cleanUp, signal)) as unknown as Json,
    { timeoutMs: reportTimeoutMs, retry, shielded: true },
  )
  return { ...outcome, drill: report as unknown as DrillReport }
}

async function cleanUpDurably(run: PlanRun, about: DrillRun, keeper: DrillKeeper): Promise<DrillCleanUp> {
  try {
    const done = await run.context.step(
      'drill:clean-up',
      async ({ signal }) => (await keeper.cleanUp(about, signal)) as unknown as Json,
      { timeoutMs: cleanUpTimeoutMs, retry, shielded: true },
    )
    return done as unknown as DrillCleanUp
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return { clean: false, stopped: [], problem: error.message }
  }
}
