import type { Experiment } from '../../catalog/index.ts'

/** One time that a fault of an experiment is injected. */
export interface Injection {
  /** `process.kill`, or `process.kill (2 of 3)`. */
  readonly name: string
  /** Its place among the experiment's faults. */
  readonly entry: number
  readonly forMs: number
  /** From this injection to the next of the same fault; absent after the last. */
  readonly everyMs?: number
}

/** Everything that an experiment injects, in its order. */
export function injectionsOf({ faults }: Pick<Experiment, 'faults'>): Injection[] {
  return faults.flatMap(({ kind, forMs, repeat }, entry) => {
    const times = repeat?.times ?? 1
    return Array.from({ length: times }, (_, round): Injection => {
      const name = times === 1 ? kind : `${kind} (${round + 1} of ${times})`
      const isLast = round === times - 1
      return { name, entry, forMs, ...(repeat === undefined || isLast ? {} : { everyMs: repeat.everyMs }) }
    })
  })
}
