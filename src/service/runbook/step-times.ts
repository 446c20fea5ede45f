import type { Catalog } from '../../catalog/index.ts'
import type { RunEvent, RunView } from '../../durable/index.ts'
import { partOf, planOutcome, stepTimeOf, type StepTime } from '../../recovery/index.ts'
import { inputOf, openRunsAt } from '../recovery/run-views.ts'

const newestRuns = 10

/**
 * How long each step of a plan took in its newest runs on this machine; a step that has changed its action since does
 * not count, nor does a run that cannot be read.
 */
export async function pastStepTimes(catalog: Catalog, planName: string): Promise<Map<string, StepTime>> {
  await using engine = openRunsAt(catalog.file)
  const kinds = new Map(catalog.plans[planName]?.steps.map(({ id, do: { kind } }) => [id, kind]))
  const durations = new Map<string, number[]>()
  const runs = (await engine.list({ state: 'completed', onUnreadable: () => {} })).filter((view) => isRunOf(view, planName))
  for (const view of runs.slice(-newestRuns)) {
    const done = doneByRunning(view).filter(({ id, kind }) => kinds.get(id) === kind)
    const took = durationsMs(new Set(done.map(({ id }) => id)), await Array.fromAsync(engine.history(view.runId)))
    for (const { id } of done) durations.getOrInsertComputed(id, () => []).push(took.get(id) ?? 0)
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
 * All attempts of each step and its checks, by the monotonic clock: without the pauses between attempts and the time that nobody worked on the
 * run. A step that waits has no attempts; of it the wall clock tells.
 */
function durationsMs(steps: ReadonlySet<string>, events: readonly RunEvent[]): ReadonlyMap<string, number> {
  const tookMs = new Map<string, number>()
  const began = new Map<string, number>()
  const add = (step: string, ms: number) => tookMs.set(step, (tookMs.get(step) ?? 0) + ms)
  for (const event of events) {
    if (event.type === 'step-committed' || event.type === 'step-failed') {
      const { step, part } = partOf(event.step, steps)
      if (part === 'action' || part === 'check') add(step, event.elapsedMs)
    } else if (event.type === 'now') {
      const [, step, mark] = /^(.*):(began|ended)$/.exec(event.id) ?? []
      if (step === undefined) continue
      const since = began.get(step)
      if (mark === 'began') began.set(step, Date.parse(event.at))
      else if (since !== undefined) add(partOf(step, steps).step, Math.max(0, Date.parse(event.at) - since))
    }
  }
  return tookMs
}
