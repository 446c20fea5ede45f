import { setImmediate } from 'node:timers/promises'

const everyMs = 50

/**
 * For long work that is synchronous because that is much faster: called often, it lets others have their turn now and then, such as the
 * timers that keep a lock fresh, and throws when the work was aborted.
 */
export type Breather = () => Promise<void>

export function createBreather(signal: AbortSignal): Breather {
  let lastMs = performance.now()
  return async () => {
    if (performance.now() - lastMs < everyMs) return
    await setImmediate()
    signal.throwIfAborted()
    lastMs = performance.now()
  }
}
