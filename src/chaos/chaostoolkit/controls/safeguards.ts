import { HoldfastError, messageOf } from '../../../kernel/index.ts'
import { playProvider, type Stage } from '../play.ts'
import { isTolerated } from '../tolerance.ts'
import type { CtkActivity, CtkExperiment } from '../types.ts'
import { knownControl } from './known.ts'

interface Guard extends CtkActivity {
  readonly frequency?: number
}

/** Watches an experiment by the probes of its safeguards, and ends it by aborting `interruption` when one is not met. */
export interface Safeguards extends AsyncDisposable {
  readonly interruption: AbortSignal
}

/**
 * Those without `frequency` and `background` are asked first, and waited for; with `background` once, beside the experiment; with
 * `frequency` again and again, that many seconds apart. A probe that fails guards nothing, so it interrupts too.
 */
export async function openSafeguards(experiment: CtkExperiment, stage: Stage, signal: AbortSignal): Promise<Safeguards> {
  const interruption = new AbortController()
  const done = new AbortController()
  const either = AbortSignal.any([signal, done.signal])
  const guards = (experiment.controls ?? [])
    .filter((control) => knownControl(control) === 'safeguards')
    .flatMap(({ provider }) => (provider.arguments?.probes ?? []) as unknown as readonly Guard[])
  const look = async (guard: Guard) => {
    const because = await unmet(guard, stage, either)
    if (because === undefined || either.aborted) return
    const message = `the safeguard '${guard.name}' ended the experiment: ${because}`
    interruption.abort(new HoldfastError('interrupted', { message }))
  }
  const watch = async (guard: Guard, everyMs: number) => {
    while (!either.aborted && !interruption.signal.aborted) {
      await look(guard)
      await stage.clock.sleep(everyMs, either)
    }
  }
  const repeated = guards.filter(({ frequency }) => typeof frequency === 'number')
  const once = guards.filter(({ frequency, background }) => typeof frequency !== 'number' && background === true)
  const first = guards.filter(({ frequency, background }) => typeof frequency !== 'number' && background !== true)
  const beside = [...once.map(look), ...repeated.map((guard) => watch(guard, (guard.frequency ?? 1) * 1000))]
  const settled = Promise.allSettled(beside)
  await Promise.all(first.map(look))
  return {
    interruption: interruption.signal,
    async [Symbol.asyncDispose]() {
      done.abort(new HoldfastError('interrupted', { message: 'the experiment has ended' }))
      await settled
    },
  }
}

async function unmet(guard: Guard, stage: Stage, signal: AbortSignal): Promise<string | undefined> {
  const { variables, find } = stage
  const probe = guard.ref === undefined ? guard : (find(guard.ref) ?? guard)
  try {
    const output = await playProvider(probe, stage, signal)
    const play = (each: CtkActivity) => playProvider(each, stage, signal)
    return (await isTolerated(guard.tolerance ?? null, output, { variables, play })) ? undefined : 'its tolerance is not met'
  } catch (error) {
    return signal.aborted ? undefined : messageOf(error)
  }
}
