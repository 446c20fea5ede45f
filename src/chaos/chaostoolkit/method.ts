import { playActivity, type Stage } from './play.ts'
import { knownControl } from './controls/known.ts'
import type { CtkActivity, CtkRun } from './types.ts'

export interface MethodJob {
  readonly stage: Stage
  readonly runs: CtkRun[]
  /** Asked after each activity. */
  readonly mustEnd: () => boolean
}

/**
 * Plays activities in their order; those with `background` go on beside the others, and are waited for at the end. Each has its place in
 * `runs` by when it began.
 */
export async function playMethod(
  activities: readonly CtkActivity[],
  { stage, runs, mustEnd }: MethodJob,
  signal: AbortSignal,
): Promise<void> {
  const beside: Promise<unknown>[] = []
  const failures: unknown[] = []
  try {
    const left = [...activities]
    for (let activity = left.shift(); activity !== undefined; activity = left.shift()) {
      signal.throwIfAborted()
      const playing = playActivity(activity, stage, signal, (run) => runs.push(run))
      if (activity.background === true) beside.push(playing.catch((error: unknown) => failures.push(error)))
      else left.unshift(...repeats(activity, await playing))
      if (mustEnd()) break
    }
  } finally {
    await Promise.all(beside)
  }
  if (failures.length > 0) throw failures[0]
}

/** What the control `repeat` of an activity adds after its first run. */
function repeats(activity: CtkActivity, run: CtkRun): CtkActivity[] {
  const control = (activity.controls ?? []).find((each) => knownControl(each) === 'repeat')
  if (control === undefined || 'iteration_index' in activity) return []
  const { repeat_count: count, break_if_previous_iteration_failed: stops } = control.provider.arguments ?? {}
  if (stops === true && run.status !== 'succeeded') return []
  const more = typeof count === 'number' ? Math.max(0, count - 1) : 0
  return Array.from({ length: more }, (_, index) => ({ ...activity, iteration_index: index + 1 }))
}
