import { actions, type ActionProgress } from '../../actions/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import { openLocalEngine, type DurableEngine, type RunEvent } from '../../durable/index.ts'
import { HoldfastError, isHoldfastError, stateDirectory } from '../../kernel/index.ts'
import { createPlanHandler, type PlanOutcome } from '../../recovery/index.ts'
import { currentPlanHash } from '../drill/binding.ts'
import { mayBegin } from '../detection/may-begin.ts'
import { drillKeeper } from '../drill/keeper.ts'
import { actionServices } from './action-services.ts'
import { codeVersion } from './code-version.ts'
import { prepareRecovery, type PreparedRecovery, type RecoveryRequest } from './prepare.ts'
import { inputOf, outcomeOf } from './run-views.ts'
import { recordRecovery } from './record-recovery.ts'

/** What those who watch a run get: what is recorded, and how far a step is in between. */
export interface RunWatcher {
  readonly onEvent?: (event: RunEvent) => void
  readonly onProgress?: (progress: ActionProgress) => void
}

export interface FinishedRun {
  readonly runId: string
  readonly outcome: PlanOutcome
}

/** An engine that can do the runs of a catalog. */
export function openRunEngine(catalog: Catalog, { onProgress }: RunWatcher): DurableEngine {
  const handler = createPlanHandler({
    actions,
    services: actionServices(catalog, onProgress),
    mayBegin: (run, signal) => mayBegin(catalog, run, signal),
    drills: drillKeeper(catalog),
    record: (outcome, run, signal) => recordRecovery(catalog, outcome, run, signal),
  })
  return openLocalEngine({ directory: stateDirectory(catalog.file), handler })
}

/**
 * Recovers a service by its plan and gives the outcome, whatever it is; see PlanOutcome. Aborting the signal lets the run go: its step is
 * stopped, nothing is undone, and it can be resumed or aborted.
 * Throws `unknown-service`, `usage` for a service without a plan, `run-busy` when another run has the environment.
 */
export async function recoverService(
  request: RecoveryRequest & { readonly prepared?: PreparedRecovery } & RunWatcher,
  signal: AbortSignal,
): Promise<FinishedRun> {
  const { spec } = request.prepared ?? prepareRecovery(request)
  await using engine = openRunEngine(request.catalog, request)
  await engine.submit(spec)
  return await followToEnd(engine, spec.runId, request, signal)
}

/** Goes on with an interrupted run. Throws `plan-changed` when the catalog's plan is not the one that the run began with. */
export async function resumeRun(catalog: Catalog, runId: string, watcher: RunWatcher, signal: AbortSignal): Promise<FinishedRun> {
  await using engine = openRunEngine(catalog, watcher)
  const view = await engine.status(runId)
  const version = codeVersion()
  const currentHash = currentPlanHash(catalog, inputOf(view), version) ?? 'the plan was removed'
  await engine.resume(runId, { planHash: currentHash, codeVersion: version })
  return await followToEnd(engine, runId, watcher, signal)
}

/**
 * Cancels a run: what it does is stopped and, before its point of no return, what it did is undone. One that no process works on is undone
 * here, by the plan that it began with, also when the catalog has another by now.
 */
export async function abortRun(
  catalog: Catalog,
  runId: string,
  reason: string,
  watcher: RunWatcher,
  signal: AbortSignal,
): Promise<FinishedRun> {
  await using engine = openRunEngine(catalog, watcher)
  await engine.requestCancel(runId, reason)
  const view = await engine.status(runId)
  if (view.state === 'interrupted') await engine.resume(runId, { planHash: view.planHash, codeVersion: codeVersion() })
  return await followToEnd(engine, runId, watcher, signal)
}

async function followToEnd(
  engine: DurableEngine,
  runId: string,
  { onEvent }: RunWatcher,
  signal: AbortSignal,
): Promise<FinishedRun> {
  const stopFollowing = new AbortController()
  const following = follow(engine, runId, onEvent, AbortSignal.any([signal, stopFollowing.signal]))
  try {
    const result = await engine.attach(runId, signal)
    // What was recorded last is still told.
    await following
    const outcome = outcomeOf({ result })
    if (outcome === undefined) throw new HoldfastError('internal', { message: `run ${runId} has ended without an outcome` })
    return { runId, outcome }
  } catch (error) {
    if (signal.aborted && isHoldfastError(signal.reason, 'interrupted')) throw letGo(runId, signal.reason)
    throw error
  } finally {
    stopFollowing.abort()
    await following.catch(() => {})
  }
}

async function follow(engine: DurableEngine, runId: string, onEvent: RunWatcher['onEvent'], signal: AbortSignal): Promise<void> {
  if (onEvent === undefined) return
  for await (const event of engine.history(runId, { follow: true }, signal)) onEvent(event)
}

function letGo(runId: string, cause: HoldfastError): HoldfastError {
  return new HoldfastError('interrupted', {
    message: `interrupted; run ${runId} can go on`,
    hint: `\`holdfast run resume ${runId}\` goes on with it, \`holdfast run abort ${runId}\` undoes it`,
    cause,
    details: { runId },
  })
}
