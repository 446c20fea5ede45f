import { setTimeout as delay } from 'node:timers/promises'

/** Where time comes from. Durations are differences of monotonicMs, never of now. */
export interface Clock {
  /** Wall-clock time. For records and people; never subtract two of them to get a duration. */
  now(): Date
  /** Milliseconds from an arbitrary origin, never going back; the same for all processes on one boot of a machine. */
  monotonicMs(): number
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => new Date(),
  // Not performance.now(), which begins anew with every process.
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  sleep: async (ms, signal) => {
    signal?.throwIfAborted()
    try {
      await delay(ms, undefined, signal ? { signal } : {})
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}
