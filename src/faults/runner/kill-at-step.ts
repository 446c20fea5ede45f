import { formatDuration, HoldfastError, isHoldfastError, sendSignal } from '../../kernel/index.ts'
import type { TraceContext } from '../contract.ts'
import { faultMark } from '../mark.ts'
import { startLogged, tailOf } from '../program/logged.ts'
import type { DrillRuns } from './runs.ts'

export interface Doomed {
  /** Starts the run. */
  readonly command: readonly string[]
  readonly run: string
  readonly step: string
  readonly withinMs: number
  /** Where what it says goes. */
  readonly output: string
}

const lookMs = 20

/** Starts a run, and kills its runner once the step is on record as begun. Throws `fault-failed`, with the end of what it said, when it never is in time. */
export async function killRunnerAt(
  runs: DrillRuns,
  { command, run, step, withinMs, output }: Doomed,
  { id, clock }: Pick<TraceContext, 'id' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  const { ended } = await startLogged({ command, output, variables: faultMark(id) })
  const stop = new AbortController()
  const limit = AbortSignal.any([signal, stop.signal, AbortSignal.timeout(withinMs)])
  const begins = untilBegun(runs, { run, step }, clock, limit)
  const never = async (what: string) =>
    new HoldfastError('fault-failed', { message: `the drill ${what} step ${step}: ${await tailOf({ output })}` })
  try {
    if (!(await Promise.race([begins, ended.then(() => false)]))) throw await never('ended without')
    // The command may be a launcher: it is the runner that is killed. What the step has started goes on, as it would.
    const { owner } = await runs.engine.status(run)
    if (owner !== undefined) sendSignal(owner.pid, 'SIGKILL')
    await Promise.race([ended, clock.sleep(withinMs, limit)])
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error
    throw await never(`did not get, in ${formatDuration(withinMs)}, beyond`)
  } finally {
    stop.abort()
    begins.catch(() => {})
  }
}

/** Whether the step has begun; false: the run has ended without. */
async function untilBegun(
  runs: DrillRuns,
  { run, step }: Pick<Doomed, 'run' | 'step'>,
  clock: TraceContext['clock'],
  signal: AbortSignal,
): Promise<boolean> {
  while ((await runs.stateOf(run)) === undefined) await clock.sleep(lookMs, signal)
  try {
    for await (const event of runs.engine.history(run, { follow: true }, signal))
      if (event.type === 'step-started' && event.step === step) return true
  } catch (error) {
    if (!isHoldfastError(error, 'run-interrupted')) throw error
  }
  return false
}
