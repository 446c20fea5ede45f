import { topologicalOrder } from './order.ts'
import type { Plan } from './plan.ts'
import type { StepTime } from './runbook/evidence.ts'

export interface StepForecast {
  readonly id: string
  /** From past runs; absent for a step that has never run. */
  readonly time?: StepTime
  /** When it is expected to begin and to end, in ms from the start of the plan; of steps that have never run nothing is counted. */
  readonly beginsMs: number
  readonly endsMs: number
  /** On the chain of steps that decides when the plan ends. */
  readonly critical: boolean
}

export interface Forecast {
  readonly steps: readonly StepForecast[]
  /** Along the critical path. With steps that have never run it is the least that is known. */
  readonly totalMs: number
  /** `estimated`: every step has run before. `unknown`: some never did. */
  readonly basis: 'estimated' | 'unknown'
  /** The chain of steps that decides when the plan ends, in its order. */
  readonly criticalPath: readonly string[]
  /** Steps that have never run. */
  readonly neverRun: readonly string[]
}

/** How long a plan is expected to take: each step its usual time, as soon as those before it are done. Limits of groups are not counted. */
export function forecastOf({ steps }: Pick<Plan, 'steps'>, times: ReadonlyMap<string, StepTime>): Forecast {
  const ends = new Map<string, { readonly beginsMs: number; readonly endsMs: number; readonly last: string | undefined }>()
  const order = topologicalOrder(steps)
  for (const { id, after, skip } of order) {
    const last = latest(after, (before) => ends.get(before)?.endsMs ?? 0)
    const beginsMs = last === undefined ? 0 : (ends.get(last)?.endsMs ?? 0)
    const tookMs = skip === undefined ? (times.get(id)?.medianMs ?? 0) : 0
    ends.set(id, { beginsMs, endsMs: beginsMs + tookMs, last })
  }
  const totalMs = Math.max(0, ...[...ends.values()].map(({ endsMs }) => endsMs))
  const criticalPath: string[] = []
  // Where nothing has run, nothing tells which chain it is.
  const all = totalMs === 0 ? [] : order.map(({ id }) => id)
  let step = latest(all, (id) => ends.get(id)?.endsMs ?? 0)
  for (; step !== undefined; step = ends.get(step)?.last) criticalPath.unshift(step)
  const critical = new Set(criticalPath)
  const neverRun = order.filter(({ id, skip }) => skip === undefined && !times.has(id)).map(({ id }) => id)
  return {
    steps: order.map(({ id }) => {
      const time = times.get(id)
      const { beginsMs = 0, endsMs = 0 } = ends.get(id) ?? {}
      return { id, ...(time === undefined ? {} : { time }), beginsMs, endsMs, critical: critical.has(id) }
    }),
    totalMs,
    basis: neverRun.length === 0 ? 'estimated' : 'unknown',
    criticalPath,
    neverRun,
  }
}

/** Of several that end at once, the one that comes last. */
function latest(ids: readonly string[], endsMs: (id: string) => number): string | undefined {
  return ids.reduce<string | undefined>((best, id) => (best === undefined || endsMs(id) >= endsMs(best) ? id : best), undefined)
}
