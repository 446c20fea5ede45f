import { HoldfastError, isHoldfastError, messageOf } from '../../kernel/index.ts'
import type { ActionContext } from '../contract.ts'
import { pause } from '../pause.ts'

const pollMs = 500

/**
 * Looks again and again until there is something, or the attempt's time is up; then the error says how it stood. `lacks` says what is still to
 * come. A cluster that does not answer for a while is asked again.
 */
export async function waitUntil<T>(
  context: Pick<ActionContext, 'clock' | 'progress' | 'step'>,
  signal: AbortSignal,
  look: () => Promise<{ readonly found: T } | { readonly lacks: string }>,
): Promise<T> {
  let standing: string | undefined
  for (;;) {
    const seen = await look().catch((error: unknown) => {
      if (signal.aborted && standing !== undefined)
        throw new HoldfastError('timed-out', { message: standing, retryable: true, cause: error })
      if (signal.aborted || !isHoldfastError(error) || !error.retryable) throw error
      return { lacks: messageOf(error) }
    })
    if ('found' in seen) return seen.found
    standing = seen.lacks
    context.progress({ step: context.step, text: seen.lacks })
    await pause(context.clock, pollMs, signal, seen.lacks)
  }
}
