import { isHoldfastError } from '../kernel/index.ts'
import { ancestors, undoOrder } from './order.ts'
import type { LeftBehind } from './outcome.ts'
import type { PlanStep } from './plan.ts'
import type { PlanRun, StepResult } from './plan-run.ts'

/**
 * Takes back what was done, the last completed first, and says what could not be taken back. When an undo fails, the steps that the
 * failed one was built on stay too (taking the ground from under it could destroy more); all others are still undone.
 */
export async function undoSteps(
  run: PlanRun,
  results: ReadonlyMap<string, StepResult>,
): Promise<{ readonly left: LeftBehind[]; readonly undone: ReadonlySet<string> }> {
  const { steps } = run.input.plan
  const left: LeftBehind[] = []
  const undone = new Set<string>()
  const stuck = new Set<string>()
  const candidates = steps.flatMap((step) => {
    const { applied, report } = results.get(step.id) ?? {}
    const isUnknown = report?.state === 'unknown'
    if (applied !== true && !isUnknown) return []
    const completedAtMs = report?.endedAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(report.endedAt)
    return [{ ...step, completedAtMs, isUnknown, report }]
  })
  for (const { isUnknown, report, ...step } of undoOrder(candidates, steps)) {
    const leave = (because: LeftBehind['because'], message: string) => {
      left.push({ step: step.id, because, message })
      if (because !== 'no-undo') for (const ancestor of ancestors(step.id, steps)) stuck.add(ancestor)
    }
    const action = run.bindRaw(step.action)
    if (isUnknown) leave('unknown', report?.error?.message ?? 'its state is unknown')
    else if (action.effect === 'read-only') continue
    else if (stuck.has(step.id)) leave('dependent-not-undone', 'a step that builds on it could not be undone')
    else if (step.undo === undefined && !action.canUndo)
      leave('no-undo', `${step.action.kind} has no undo here: what it did is still in place`)
    else {
      const problem = await undoStep(run, step)
      if (problem === undefined) undone.add(step.id)
      else leave('undo-failed', problem)
    }
  }
  return { left, undone }
}

/** Undefined when it is undone, else why not. */
async function undoStep(run: PlanRun, step: PlanStep): Promise<string | undefined> {
  try {
    await run.context.step(
      `${step.id}:undo`,
      async ({ signal, attempt }) => {
        const context = run.contextFor(step)
        if (step.undo !== undefined) return run.bind(step.undo).run(context, run.attempt(step, signal, attempt, ':undo'))
        // With the step's own key: it tells what is the step's.
        await run.bind(step.action).undo(run.outputs[step.id] ?? null, context, run.attempt(step, signal, attempt))
        return null
      },
      { timeoutMs: step.timeoutMs, retry: step.retry, shielded: true },
    )
    return undefined
  } catch (error) {
    if (isHoldfastError(error)) return error.message
    throw error
  }
}
