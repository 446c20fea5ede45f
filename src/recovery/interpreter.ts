import { recordFailure, type RunHandler } from '../durable/index.ts'
import { HoldfastError, isHoldfastError, type Json } from '../kernel/index.ts'
import { commitStep } from './compile.ts'
import { concludeDrill, openDrill } from './drill/conclude.ts'
import { planAsRun } from './form.ts'
import { topologicalOrder } from './order.ts'
import type { LeftBehind, PlanOutcome } from './outcome.ts'
import { planInput } from './plan.ts'
import { PlanRun, type PlanDeps, type StepResult } from './plan-run.ts'
import { preflightPlan, type StepFinding } from './preflight.ts'
import { runPlanStep } from './run-step.ts'
import { timingOf } from './timing.ts'
import { undoSteps } from './undo.ts'

const preflightTimeoutMs = 120_000
const recordTimeoutMs = 120_000

/** What a run of a plan does, on any DurableEngine. Its value is a PlanOutcome. */
export function createPlanHandler(deps: PlanDeps): RunHandler {
  return async (context, rawInput) => {
    const submitted = planInput.parse(rawInput)
    const input = { ...submitted, plan: planAsRun(submitted) }
    const started = await context.now('started')
    return context.withLock(input.plan.environment, async (fencingToken) => {
      const run = new PlanRun(context, input, fencingToken, deps)
      const findings = await preflight(run, deps)
      const lookedAt = await context.now('preflighted')
      const results = run.failure === undefined ? await runSteps(run) : new Map<string, StepResult>()
      const mustUndo = run.failure !== undefined && run.pointOfNoReturn === undefined && !run.keep
      const { left, undone } = mustUndo
        ? await undoSteps(run, results)
        : { left: unknownSteps(results), undone: new Set<string>() }
      const ended = await context.now('ended')
      const outcome = report(run, { findings, results, left, undone, started, lookedAt, ended })
      return putOnRecord(run, await concludeDrill(run, outcome, deps.drills), deps)
    })
  }
}

/** Recorded like a step, so that a run that starts over does not look again at a world that it has changed. */
async function preflight(run: PlanRun, { drills, mayBegin }: PlanDeps): Promise<StepFinding[]> {
  try {
    const value = await run.context.step(
      'preflight',
      async ({ signal }) => {
        await mayBegin?.({ runId: run.context.runId, input: run.input }, signal)
        await openDrill(run, drills)
        const deps = { bind: run.bindRaw.bind(run), contextFor: run.contextFor.bind(run) }
        return (await preflightPlan(run.input.plan, deps, signal)) as unknown as Json
      },
      { timeoutMs: preflightTimeoutMs },
    )
    const findings = value as unknown as StepFinding[]
    const blockers = findings.filter(({ severity }) => severity === 'blocker')
    if (blockers.length > 0) run.fail(preflightError(blockers))
    return findings
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    run.fail(error)
    return []
  }
}

/** All steps, each as soon as those before it are done. */
async function runSteps(run: PlanRun): Promise<Map<string, StepResult>> {
  const running = new Map<string, Promise<StepResult>>()
  for (const step of topologicalOrder(run.input.plan.steps)) {
    const before = step.after.flatMap((id) => running.get(id) ?? [])
    running.set(step.id, runPlanStep(run, step, before))
  }
  const results = await run.context.all(
    [...running].map(
      ([id, result]) =>
        async () =>
          [id, await result] as const,
    ),
  )
  return new Map(results)
}

/** Past the point of no return nothing is undone, but what nobody knows is still told. */
function unknownSteps(results: ReadonlyMap<string, StepResult>): LeftBehind[] {
  return [...results.values()]
    .filter(({ report }) => report.state === 'unknown')
    .map(({ report }) => ({ step: report.id, because: 'unknown', message: report.error?.message ?? 'its state is unknown' }))
}

interface Ending {
  readonly findings: readonly StepFinding[]
  readonly results: ReadonlyMap<string, StepResult>
  readonly left: LeftBehind[]
  readonly undone: ReadonlySet<string>
  readonly started: Date
  /** When the preflight was through. */
  readonly lookedAt: Date
  readonly ended: Date
}

function report(run: PlanRun, { findings, results, left, undone, started, lookedAt, ended }: Ending): PlanOutcome {
  const { input, failure, pointOfNoReturn } = run
  const steps = input.plan.steps.map((step) => {
    const report = results.get(step.id)?.report ?? { id: step.id, kind: step.action.kind, state: 'not-run' as const }
    return undone.has(step.id) ? { ...report, state: 'undone' as const } : report
  })
  const checksPassed = [...results.values()].reduce((sum, result) => sum + result.checksPassed, 0)
  const preflighted = { kind: 'preflight', endedAt: lookedAt.toISOString() }
  const moments = [...results.values()].flatMap(({ report, checkedAt }) => [
    report,
    ...(checkedAt === undefined ? [] : [{ ...report, kind: 'check', endedAt: checkedAt }]),
  ])
  // From the commit window on the service is back; what people do then is not part of its recovery.
  const window = results.get(commitStep)?.report
  const provisionalUntil =
    window?.kind === 'commit' && window.state === 'done' && window.startedAt !== undefined
      ? new Date(window.startedAt)
      : undefined
  return {
    status: statusOf(run, left, checksPassed),
    plan: input.plan.name,
    planHash: input.planHash,
    steps,
    left,
    findings: [...findings],
    checksPassed,
    decisions: run.decisions,
    form: input.form,
    timing: timingOf(new Date(input.onsetAt), started, provisionalUntil ?? ended, [preflighted, ...moments]),
    ...(failure === undefined ? {} : { failure: { ...failure, error: recordFailure(failure.error) } }),
    ...(pointOfNoReturn === undefined ? {} : { pointOfNoReturn }),
  }
}

/** A record that cannot be written does not change what happened, but it is told. */
async function putOnRecord(run: PlanRun, outcome: PlanOutcome, { record }: PlanDeps): Promise<Json> {
  if (record === undefined) return outcomeAsJson(outcome)
  const { runId } = run.context
  const options = {
    timeoutMs: recordTimeoutMs,
    retry: { attempts: 3, delayMs: 1000, factor: 2, maxDelayMs: 10_000 },
    shielded: true,
  }
  try {
    const where = await run.context.step('record', ({ signal }) => record(outcome, { runId, input: run.input }, signal), options)
    return outcomeAsJson({ ...outcome, record: where })
  } catch (error) {
    return outcomeAsJson({ ...outcome, recordFailure: recordFailure(error) })
  }
}

function outcomeAsJson(outcome: PlanOutcome): Json {
  return outcome as unknown as Json
}

function statusOf(
  { failure, pointOfNoReturn, keep }: PlanRun,
  left: readonly LeftBehind[],
  checksPassed: number,
): PlanOutcome['status'] {
  if (failure === undefined) return checksPassed > 0 ? 'succeeded' : 'unverified'
  if (failure.error.code === 'preflight-failed') return 'preflight-failed'
  if (pointOfNoReturn !== undefined || keep) return 'stopped'
  return left.some(({ because }) => because !== 'no-undo') ? 'undo-failed' : 'rolled-back'
}

function preflightError(blockers: readonly StepFinding[]): HoldfastError {
  const [first] = blockers
  return new HoldfastError('preflight-failed', {
    message: blockers.map(({ step, message }) => `${step}: ${message}`).join('; '),
    ...(first?.hint === undefined ? {} : { hint: first.hint }),
  })
}
