import { z } from 'zod'
import { isHoldfastError } from '../kernel/index.ts'
import { decisions } from './decisions.ts'
import type { PlanStep } from './plan.ts'
import type { PlanRun } from './plan-run.ts'

/** What `holdfast run decide` sends: what is so, who says it, and why. */
const decisionWord = z.object({ decision: z.enum(decisions), by: z.string().optional(), why: z.string().optional() })
export type DecisionWord = z.infer<typeof decisionWord>

/** The signal that decides about a step; `occasion` counts from 1. */
export function decisionName(step: string, occasion: number): string {
  return `decide:${step}:${occasion}`
}

/** Asks a person what to do about a step, and waits. A run that was told not to ask, or that is cancelled, stops. */
export async function decide(run: PlanRun, step: PlanStep, occasion: number, because: string): Promise<DecisionWord> {
  const stop: DecisionWord = { decision: 'stop' }
  if (run.input.decisions === 'stop') return stop
  const name = decisionName(step.id, occasion)
  return run.deciding(async () => {
    try {
      await run.context.note(`${name}:asked`, { decision: name, step: step.id, because })
      const value = await run.context.waitSignal(name)
      return decisionWord.safeParse(value).data ?? stop
    } catch (error) {
      if (isHoldfastError(error, 'run-cancelled')) return stop
      throw error
    }
  })
}
