import type { Clock } from './clock.ts'

/** The two clocks of a machine at one moment. */
export interface Anchor {
  /** Wall-clock time, ISO 8601. */
  readonly at: string
  readonly monotonicMs: number
  /** The boot of the machine that the monotonic clock counts from. */
  readonly boot: string
}

/**
 * A clock that shows the wall clock's time of the anchor and advances with the monotonic clock: two of its times can be subtracted. Setting
 * the wall clock does not change it. It holds for all processes on one boot of a machine.
 */
export function steadyClock(anchor: Anchor, clock: Clock): Clock {
  const originMs = Date.parse(anchor.at) - anchor.monotonicMs
  return {
    now: () => new Date(originMs + clock.monotonicMs()),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  }
}
