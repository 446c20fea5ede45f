import { isHoldfastError } from '../kernel/index.ts'
import type { PlanStep } from './plan.ts'
import type { PlanRun } from './plan-run.ts'

/** `done`: the step is done, go on. `not-done`: it is not, run it again (or, when the run ends, forget it). `stop`: end the run. */
export const decisions = ['done', 'not-done', 'stop'] as const
export type Decision = (typeof decisions)[number]

/** The signal that decides about a step; `occasion` counts from 1. */
export function decisionName(step: string, occasion: number): string {
  return `decide:${step}:${occasion}`
}

/** Asks a person what to do about a step, and waits. A run that was told not to ask, or that is cancelled, stops. */
export async function decide(run: PlanRun, step: PlanStep, occasion: number, because: string): Promise<Decision> {
  if (run.input.decisions === 'stop') return 'stop'
  const name = decisionName(step.id, occasion)
  return run.deciding(async () => {
    try {
      await run.context.note(`${name}:asked`, { decision: name, step: step.id, because })
      const value = await run.context.waitSignal(name)
      return decisions.find((decision) => decision === value) ?? 'stop'
    } catch (error) {
      if (isHoldfastError(error, 'run-cancelled')) return 'stop'
      throw error
    }
  })
}
