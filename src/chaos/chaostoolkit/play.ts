import type { Clock, Json } from '../../kernel/index.ts'
import { HoldfastError, messageOf } from '../../kernel/index.ts'
import { nativeFunction, playKubernetes, type NativeChoice } from './providers/kubernetes/call.ts'
import { playHttp } from './providers/http.ts'
import { playProcess } from './providers/process.ts'
import { playPython } from './providers/python.ts'
import { substitute } from './substitute.ts'
import {
  ActivityFailed,
  type CtkActivity,
  type CtkAnswer,
  type CtkControl,
  type CtkRun,
  type CtkVariables,
  type DryKind,
} from './types.ts'
import { knownControl } from './controls/known.ts'

/** What a provider needs. */
export interface ProviderNeeds extends NativeChoice {
  readonly variables: CtkVariables
}

/** What playing an activity needs, the same for all of an experiment. */
export interface Stage extends ProviderNeeds {
  readonly clock: Clock
  readonly dry: DryKind | undefined
  /** As Chaos Toolkit does it, in everything. */
  readonly strict: boolean
  /** Of the whole experiment. */
  readonly controls: readonly CtkControl[]
  readonly find: (ref: string) => CtkActivity | undefined
  /** Actions that found nothing to act on are put here. */
  readonly idle: Set<CtkRun>
  /** When an activity begins and ends, for the journal that is written as it goes: what it does is told before it is done. */
  readonly onRun: (what: 'began' | 'ended', run: CtkRun) => Promise<void>
}

/** The output of an activity's provider. Throws ActivityFailed for what the journal calls failed. */
export async function playProvider(activity: CtkActivity, needs: ProviderNeeds, signal: AbortSignal): Promise<Json> {
  return (await askProvider(activity, needs, signal)).output
}

async function askProvider(
  { provider }: CtkActivity,
  { variables, ...choice }: ProviderNeeds,
  signal: AbortSignal,
): Promise<CtkAnswer> {
  switch (provider.type) {
    case 'process':
      return { output: await playProcess(provider, variables, signal) }
    case 'http':
      return { output: await playHttp(provider, variables, signal) }
    case 'python': {
      const native = nativeFunction(provider, choice)
      if (native !== undefined) return await playKubernetes(provider, native, variables, signal)
      const output = await playPython(provider, variables, signal)
      // Actions of chaosk8s that choose give the names of what they acted on.
      const isCounted = provider.module.startsWith('chaosk8s.') && Array.isArray(output)
      return { output, ...(isCounted ? { acted: output.length } : {}) }
    }
    default:
      throw new TypeError('a provider of an unknown type')
  }
}

/**
 * Plays an activity, with its pauses, and puts what came of it into a run that is given to `add` when it begins. An activity that fails is
 * a result. Throws the signal's reason when it is cut off: its run then has no status.
 */
export async function playActivity(
  named: CtkActivity,
  stage: Stage,
  signal: AbortSignal,
  add: (run: CtkRun) => void = () => {},
): Promise<CtkRun> {
  const activity = referenced(named, stage)
  const isDry = isDryRun(activity, stage)
  const pauses = substitute(activity.pauses ?? {}, stage.variables) as { before?: Json; after?: Json }
  const pause = async (seconds: Json | undefined) => {
    const sleeps = typeof seconds === 'number' && seconds > 0 && !isDry && stage.dry !== 'pause'
    if (sleeps) await stage.clock.sleep(seconds * 1000, signal)
  }
  await pause(pauses.before)
  const startedMs = stage.clock.monotonicMs()
  const run: CtkRun = { activity: { ...activity }, output: null, start: timestamp(stage.clock) }
  add(run)
  await stage.onRun('began', run)
  try {
    if (!isDry) {
      const { output, acted } = await askProvider(activity, stage, signal)
      run.output = output
      if (activity.type === 'action' && acted === 0) stage.idle.add(run)
    }
    run.status = 'succeeded'
  } catch (error) {
    signal.throwIfAborted()
    // Python would let it through, and end the experiment there.
    if (!(error instanceof ActivityFailed) && stage.strict) throw error
    run.status = 'failed'
    run.exception = [`chaoslib.exceptions.ActivityFailed: ${messageOf(error)}\n`]
  } finally {
    run.end = timestamp(stage.clock)
    run.duration = (stage.clock.monotonicMs() - startedMs) / 1000
    await stage.onRun('ended', run)
  }
  await pause(pauses.after)
  return run
}

function referenced(activity: CtkActivity, { find }: Stage): CtkActivity {
  if (activity.ref === undefined) return activity
  const found = find(activity.ref)
  if (found === undefined) throw new HoldfastError('experiment-invalid', { message: `there is no activity '${activity.ref}'` })
  return found
}

/** Whether it is only written down: by the way the experiment runs, by its own word, or by a control that passes it over. */
export function isDryRun(activity: CtkActivity, { dry, controls, strict }: Pick<Stage, 'dry' | 'controls' | 'strict'>): boolean {
  // Chaos Toolkit takes what an activity says for itself for nothing, and what it was told for all of them too then.
  if (strict && activity.dry !== undefined) return false
  const chosen = activity.dry ?? dry
  if (chosen === 'activities' || (chosen === 'actions' && activity.type === 'action')) return true
  if (chosen === 'probes' && activity.type === 'probe') return true
  // The control bypass of Chaos Toolkit sets `dry: true`, which newer versions of its library take for nothing.
  return !strict && [...controls, ...(activity.controls ?? [])].some((control) => bypasses(control, activity))
}

function bypasses(control: CtkControl, { type, name }: CtkActivity): boolean {
  if (knownControl(control) !== 'bypass') return false
  const { target_type: ofType, target_names: names } = control.provider.arguments ?? {}
  return ofType === type || (Array.isArray(names) && names.includes(name))
}

export function timestamp(clock: Clock): string {
  return clock.now().toISOString().replace(/Z$/, '000+00:00')
}
