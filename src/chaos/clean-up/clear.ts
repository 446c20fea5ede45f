import { endMarkedProcesses, type RecalledFault, type TraceContext } from '../../faults/index.ts'
import { HoldfastError, messageOf } from '../../kernel/index.ts'

const firstPauseMs = 20
const longestPauseMs = 5000

/**
 * Takes a fault back and reads back that nothing is left of it, again and again until that is so. Throws `clean-up-failed`, saying what is
 * left, when that takes longer than `budgetMs`. Whoever else does the same at the same time is no matter: an undo is idempotent.
 */
export async function clear(fault: RecalledFault, context: TraceContext, budgetMs: number, signal: AbortSignal): Promise<void> {
  const { clock, id } = context
  const endMs = clock.monotonicMs() + budgetMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const left = await attempt(fault, context, signal)
    if (left === undefined) return
    signal.throwIfAborted()
    if (clock.monotonicMs() + pauseMs > endMs) {
      throw new HoldfastError('clean-up-failed', {
        message: `the fault ${fault.kind} ${id} of ${context.experiment} is not gone: ${left}`,
        hint: `\`holdfast chaos sweep\` tries again; by hand: ${fault.manualUndo(id).join('; ')}`,
        details: { id, kind: fault.kind, left },
      })
    }
    await clock.sleep(pauseMs, signal)
  }
}

/** What is left after one try; undefined for nothing. */
async function attempt(fault: RecalledFault, context: TraceContext, signal: AbortSignal): Promise<string | undefined> {
  try {
    await endMarkedProcesses(context.id, signal)
    await fault.undo(context, signal)
    if (fault.irreversible) return undefined
    const sight = await fault.look(context, signal)
    if (sight.state === 'absent') return undefined
    return sight.state === 'present' ? 'it is still there' : sight.because
  } catch (error) {
    signal.throwIfAborted()
    return messageOf(error)
  }
}
