import { HoldfastError, type Clock } from '../kernel/index.ts'

/** Between two looks at something that takes its time. When the attempt's time is up, the error says how it stood. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal, standing: string): Promise<void> {
  try {
    await clock.sleep(ms, signal)
  } catch (error) {
    if (!signal.aborted) throw error
    throw new HoldfastError('timed-out', { message: standing, retryable: true, cause: error })
  }
}
