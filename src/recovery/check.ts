import { HoldfastError, isHoldfastError, messageOf } from '../kernel/index.ts'
import type { PlanStep } from './plan.ts'
import type { PlanRun } from './plan-run.ts'

/**
 * Asks a step's check until it passes; gives the time when it did (ISO), or undefined for a step without a check.
 * Throws `timed-out` with the check's last complaint when its time is up.
 */
export async function checkUntilTrue(run: PlanRun, step: PlanStep, occasion: number): Promise<string | undefined> {
  const { check } = step
  if (check === undefined) return undefined
  const id = occasion === 1 ? `${step.id}:check` : `${step.id}#${occasion}:check`
  const value = await run.context.step(
    id,
    async ({ signal, attempt }) => {
      for (let complaint: unknown; ;) {
        try {
          await run.bind(check).run(run.contextFor(step), run.attempt(step, signal, attempt, ':check'))
          return run.clock.now().toISOString()
        } catch (error) {
          // The last complaint before the time was up, not that asking was cut short.
          if (signal.aborted) throw notPassed(step, complaint ?? error)
          if (isHoldfastError(error, 'usage')) throw error
          complaint = error
          run.contextFor(step).progress({ step: step.id, text: `not yet: ${messageOf(error)}` })
        }
        await run.clock.sleep(check.everyMs, signal).catch(() => {
          throw notPassed(step, complaint)
        })
      }
    },
    { timeoutMs: check.timeoutMs, stop: run.halt.signal },
  )
  return value as string
}

function notPassed(step: PlanStep, complaint: unknown): HoldfastError {
  return new HoldfastError('step-failed', {
    message: `the check of step ${step.id} did not pass: ${messageOf(complaint)}`,
    cause: complaint,
  })
}
