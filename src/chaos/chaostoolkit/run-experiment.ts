import { HoldfastError, type Clock, type Json } from '../../kernel/index.ts'
import { openSafeguards } from './controls/safeguards.ts'
import { newJournal } from './journal.ts'
import { playMethod } from './method.ts'
import { judgeJournal, type CtkOutcome } from './outcome.ts'
import { isDryRun, playProvider, timestamp, type Stage } from './play.ts'
import { requireClusters, type NativeChoice } from './providers/kubernetes/call.ts'
import { playHypothesis } from './steady-state.ts'
import { pythonText, substitute } from './substitute.ts'
import { findOut, loadVariables, type GivenVariables } from './variables.ts'
import { mustRollBack } from './rollbacks.ts'
import type {
  CtkActivity,
  CtkExperiment,
  CtkJournal,
  CtkVariables,
  DryKind,
  HypothesisStrategy,
  RollbackStrategy,
} from './types.ts'

export interface CtkRunOptions extends NativeChoice {
  readonly clock: Clock
  /** As Chaos Toolkit does it, in everything. */
  readonly strict: boolean
  readonly variables: GivenVariables
  readonly dry?: DryKind
  readonly hypothesisStrategy?: HypothesisStrategy
  readonly rollbackStrategy?: RollbackStrategy
  /** Between two looks while the method runs. Default: 1 s. */
  readonly hypothesisEveryMs?: number
  /** Ends the method when a look while it runs is not met. */
  readonly failFast?: boolean
  /** Nothing refuses the experiment any more, and nothing of it has been played. */
  readonly onBegin?: () => Promise<void>
  /** Every piece of the journal as it comes about. */
  readonly onEntry: (entry: Json) => Promise<void> | void
}

export interface CtkResult extends CtkOutcome {
  readonly journal: CtkJournal
  /** Where in `journal.run` the actions are that were only written down: by `dry`, or by a control. */
  readonly passedOver: readonly number[]
}

const looksBefore: ReadonlySet<HypothesisStrategy> = new Set(['default', 'before-method-only', 'continuously'])
const looksDuring: ReadonlySet<HypothesisStrategy> = new Set(['during-method-only', 'continuously'])
const looksAfter: ReadonlySet<HypothesisStrategy> = new Set(['default', 'after-method-only', 'continuously'])

/**
 * Runs a checked experiment. An abort of the signal interrupts it: what is played is cut off, and rolled back unless its strategy says
 * otherwise. Throws `experiment-invalid` before anything is begun, and then only what ends Chaos Toolkit itself too, where it is to be followed in everything.
 */
export async function runCtkExperiment(given: CtkExperiment, options: CtkRunOptions, signal: AbortSignal): Promise<CtkResult> {
  const { clock, strict, dry, onEntry, pythonOnly = false } = options
  const never = new AbortController().signal
  const loaded = loadVariables(given, options.variables, strict)
  const warn = (key: string, error: unknown) => void onEntry({ event: 'configuration-not-found', key, because: String(error) })
  const isPassedOver = (activity: CtkActivity) => isDryRun(activity, { dry, strict, controls: given.controls ?? [] })
  await requireClusters(given, { variables: loaded, pythonOnly, isPassedOver }, signal)
  await options.onBegin?.()
  const find = (probe: CtkActivity, known: CtkVariables) => playProvider(probe, { variables: known, pythonOnly }, signal)
  const variables = await findOut(loaded, find, warn)
  const experiment = { ...given, title: pythonText(substitute(given.title, variables)) }
  const journal = newJournal(experiment, dry, clock)
  const startedMs = clock.monotonicMs()
  await onEntry({ event: 'started', journal: journal as unknown as Json })
  const stage = stageOf(experiment, { variables, options })
  const strategy = options.hypothesisStrategy ?? (experiment.runtime?.hypothesis?.strategy as HypothesisStrategy) ?? 'default'
  {
    await using guards = await openSafeguards(experiment, stage, signal)
    const interruption = AbortSignal.any([signal, guards.interruption])
    try {
      await playPhases({ experiment, journal, stage, strategy, options }, interruption)
    } catch (error) {
      if (!interruption.aborted) throw error
      journal.status = 'interrupted'
    }
    if (interruption.aborted) journal.status = 'interrupted'
  }
  const wish = options.rollbackStrategy ?? (experiment.runtime?.rollbacks?.strategy as RollbackStrategy) ?? 'default'
  const actions = [...journal.run.entries()].filter(([, { activity }]) => activity.type === 'action')
  const passedOver = actions.filter(([, { activity }]) => isDryRun(activity, stage)).map(([place]) => place)
  const hasActed = passedOver.length < actions.length
  if (mustRollBack(wish, journal, { strict, hasActed })) {
    // Whatever interrupted the experiment does not interrupt its cleaning up.
    await playMethod(experiment.rollbacks ?? [], { stage, runs: journal.rollbacks, mustEnd: () => false }, never)
  }
  journal.end = timestamp(clock)
  journal.duration = (clock.monotonicMs() - startedMs) / 1000
  journal.status ??= 'completed'
  const ranDry = dry !== undefined || (passedOver.length > 0 && !hasActed)
  const outcome = judgeJournal(journal, { dry: ranDry, idle: stage.idle })
  await onEntry({
    event: 'ended',
    status: journal.status,
    deviated: journal.deviated,
    ...(strict ? {} : { verdict: outcome.verdict }),
  })
  return { journal, passedOver, ...outcome }
}

interface Phases {
  readonly experiment: CtkExperiment
  readonly journal: CtkJournal
  readonly stage: Stage
  readonly strategy: HypothesisStrategy
  readonly options: CtkRunOptions
}

async function playPhases({ experiment, journal, stage, strategy, options }: Phases, signal: AbortSignal): Promise<void> {
  const found = experiment['steady-state-hypothesis']
  const hypothesis = (found?.probes ?? []).length > 0 && strategy !== 'skip' ? found : undefined
  signal.throwIfAborted()
  if (hypothesis !== undefined && looksBefore.has(strategy)) {
    const state = await playHypothesis(hypothesis, stage, signal)
    journal.steady_states.before = state
    await options.onEntry({ event: 'steady-state', when: 'before', met: state.steady_state_met })
    if (state.steady_state_met === false) {
      journal.status = state.probes.some(({ status }) => status !== 'succeeded') ? 'failed' : 'completed'
      return
    }
  }
  const methodEnded = new AbortController()
  const looking =
    hypothesis !== undefined && looksDuring.has(strategy)
      ? lookAgainAndAgain({ hypothesis, journal, stage, options }, methodEnded.signal, signal)
      : Promise.resolve()
  const looked = looking.catch(() => {
    if (!signal.aborted) journal.status = 'aborted'
  })
  let hasEnded = false
  try {
    const mustEnd = () => journal.status === 'failed' || journal.status === 'aborted'
    await playMethod(experiment.method, { stage, runs: journal.run, mustEnd }, signal)
    hasEnded = true
  } catch (error) {
    signal.throwIfAborted()
    journal.status = 'aborted'
    await options.onEntry({ event: 'aborted', because: String(error) })
  } finally {
    methodEnded.abort(new HoldfastError('interrupted', { message: 'the method has ended' }))
    await looked
  }
  if (hypothesis === undefined || !hasEnded || journal.status === 'aborted' || !looksAfter.has(strategy)) return
  const state = await playHypothesis(hypothesis, stage, signal)
  journal.steady_states.after = state
  await options.onEntry({ event: 'steady-state', when: 'after', met: state.steady_state_met })
  if (state.steady_state_met !== false) return
  journal.deviated = true
  journal.status = state.probes.some(({ status }) => status !== 'succeeded') ? 'failed' : 'completed'
}

async function lookAgainAndAgain(
  {
    hypothesis,
    journal,
    stage,
    options,
  }: Omit<Phases, 'experiment' | 'strategy'> & { hypothesis: NonNullable<CtkExperiment['steady-state-hypothesis']> },
  methodEnded: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  const either = AbortSignal.any([methodEnded, signal])
  while (!either.aborted) {
    const state = await playHypothesis(hypothesis, stage, signal)
    journal.steady_states.during.push(state)
    await options.onEntry({ event: 'steady-state', when: 'during', met: state.steady_state_met })
    if (state.steady_state_met === false && options.failFast === true) {
      journal.status = 'failed'
      return
    }
    await stage.clock.sleep(options.hypothesisEveryMs ?? 1000, either).catch((error: unknown) => {
      if (!either.aborted) throw error
    })
  }
}

function stageOf(
  experiment: CtkExperiment,
  { variables, options }: { readonly variables: Stage['variables']; readonly options: CtkRunOptions },
): Stage {
  const { clock, strict, dry, onEntry, pythonOnly = false } = options
  // Of two with one name the later counts, and those of the hypothesis come last.
  const known = new Map<string, CtkActivity>()
  for (const activity of [...experiment.method, ...(experiment['steady-state-hypothesis']?.probes ?? [])]) {
    if (activity.ref === undefined) known.set(activity.name, activity)
  }
  return {
    clock,
    variables,
    pythonOnly,
    dry,
    strict,
    controls: experiment.controls ?? [],
    find: (ref) => known.get(ref),
    idle: new Set(),
    onRun: async (what, run) => await onEntry({ event: `activity-${what}`, run: run as unknown as Json }),
  }
}
