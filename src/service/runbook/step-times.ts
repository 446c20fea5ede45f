import type { Catalog } from '../../catalog/index.ts'
import type { RunEvent, RunView } from '../../durable/index.ts'
import { planOutcome, stepTimeOf, type StepTime } from '../../recovery/index.ts'
import { inputOf, openRunsAt } from '../recovery/run-views.ts'

const newestRuns = 10

/**
 * How long each step of a plan took in its newest runs on this machine; a step that has changed its action since does
 * not count, nor does a run that cannot be read.
 */
export async function pastStepTimes(catalog: Catalog, planName: string): Promise<Map<string, StepTime>> {
  await using engine = openRunsAt(catalog.file)
  const plan = catalog.plans[planName]
  const durations = new Map<string, number[]>()
  const runs = (await engine.list({ state: 'completed', onUnreadable: () => {} })).filter((view) => isRunOf(view, planName))
  for (const view of runs.slice(-newestRuns)) {
    const events: RunEvent[] = []
    for await (const event of engine.history(view.runId)) events.push(event)
    for (const { id, kind } of doneByRunning(view)) {
      if (plan?.steps.find((step) => step.id === id)?.do.kind !== kind) continue
      durations.set(id, [...(durations.get(id) ?? []), durationMs(id, events)])
    }
  }
  const times = new Map<string, StepTime>()
  for (const [id, measured] of durations) {
    const time = stepTimeOf(measured)
    if (time !== undefined) times.set(id, time)
  }
  return times
}

/** A run that this version cannot read is none that tells anything. */
function isRunOf(view: RunView, plan: string): boolean {
  try {
    return inputOf(view).plan.name === plan
  } catch {
    return false
  }
}

/** What was found done, or was declared so by a person, took no time that says anything. */
function doneByRunning({ result }: RunView): { readonly id: string; readonly kind: string }[] {
  if (result?.state !== 'completed') return []
  const outcome = planOutcome.safeParse(result.value)
  return outcome.success ? outcome.data.steps.filter(({ state, by }) => state === 'done' && by === 'run') : []
}

/**
 * All attempts of a step and its check, by the monotonic clock: without the pauses between attempts and the time that nobody worked on the
 * run. A step that waits has no attempts; of it the wall clock tells.
 */
function durationMs(id: string, events: readonly RunEvent[]): number {
  const isOfStep = (name: string) => name === id || name === `${id}:check` || name.startsWith(`${id}#`)
  let workedMs = 0
  let began: string | undefined
  let waitedMs = 0
  for (const event of events) {
    if ((event.type === 'step-committed' || event.type === 'step-failed') && isOfStep(event.step)) workedMs += event.elapsedMs
    else if (event.type === 'now' && event.id === `${id}:began`) began = event.at
    else if (event.type === 'now' && event.id === `${id}:ended` && began !== undefined)
      waitedMs = Math.max(0, Date.parse(event.at) - Date.parse(began))
  }
  return workedMs + waitedMs
}
