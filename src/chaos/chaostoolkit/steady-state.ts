import { messageOf } from '../../kernel/index.ts'
import { playActivity, playProvider, type Stage } from './play.ts'
import { isTolerated } from './tolerance.ts'
import type { CtkHypothesis, CtkRun, CtkSteadyState } from './types.ts'

/** Plays the probes of a hypothesis, up to the first that is not met, into a state that is given to `add` at the beginning. */
export async function playHypothesis({ probes = [] }: CtkHypothesis, stage: Stage, signal: AbortSignal): Promise<CtkSteadyState> {
  const state: CtkSteadyState = { steady_state_met: null, probes: [] }
  for (const probe of probes) {
    const run = await playActivity(probe, stage, signal)
    state.probes.push(run)
    run.tolerance_met = run.status !== 'failed' && (await isMet(run, stage, signal))
    if (run.tolerance_met) continue
    state.steady_state_met = false
    return state
  }
  state.steady_state_met = true
  return state
}

async function isMet(run: CtkRun, stage: Stage, signal: AbortSignal): Promise<boolean> {
  // Nothing was asked: there is nothing to compare.
  if (stage.dry === 'probes' || stage.dry === 'activities') return true
  const { tolerance = null } = run.activity
  const { variables } = stage
  try {
    return await isTolerated(tolerance, run.output, { variables, play: (probe) => playProvider(probe, stage, signal) })
  } catch (error) {
    signal.throwIfAborted()
    // Chaos Toolkit dies of it, without a journal and without rollbacks.
    if (stage.strict) throw error
    run.exception = [`${error instanceof Error ? error.name : 'Error'}: ${messageOf(error)}\n`]
    return false
  }
}
