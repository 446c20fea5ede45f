import type { Json } from '../../kernel/index.ts'
import { isMap } from './python-values.ts'
import type { CtkActivity, CtkControl, CtkExperiment, CtkProvider } from './types.ts'

/** Something of an experiment, with the place where it stands there: `method[2]`. */
export type Placed<T> = readonly [at: string, it: T]

/** Of the hypothesis, the method and the rollbacks. */
export function activitiesOf(experiment: CtkExperiment): Placed<CtkActivity>[] {
  return [
    ...placed('steady-state-hypothesis.probes', experiment['steady-state-hypothesis']?.probes),
    ...placed('method', experiment.method),
    ...placed('rollbacks', experiment.rollbacks),
  ]
}

/** Of the experiment and of its activities. */
export function controlsOf(experiment: CtkExperiment): Placed<CtkControl>[] {
  return [
    ...placed('controls', experiment.controls),
    ...activitiesOf(experiment).flatMap(([at, { controls }]) => placed(`${at}.controls`, controls)),
  ]
}

/** The probes of safeguards. */
export function guardsOf(controls: readonly Placed<CtkControl>[]): Placed<CtkActivity>[] {
  return controls.flatMap(([at, { provider }]) =>
    placed(`${at}.probes`, provider?.arguments?.probes as readonly CtkActivity[] | undefined),
  )
}

/** Probes that find out values of the configuration. */
export function findersOf(experiment: CtkExperiment): Placed<CtkActivity>[] {
  return Object.entries(experiment.configuration ?? {}).flatMap(([key, entry]) =>
    isMap(entry) && entry.type === 'probe' ? [[`configuration.${key}`, entry as unknown as CtkActivity] as const] : [],
  )
}

export type PythonProvider = Extract<CtkProvider, { type: 'python' }>

/**
 * Every function that is called, also those of tolerances, which are given the value besides.
 *
 * @param isPassedOver activities that are only written down; probes of safeguards and of the configuration never are
 */
export function functionsOf(
  experiment: CtkExperiment,
  isPassedOver: (activity: CtkActivity) => boolean = () => false,
): Placed<PythonProvider>[] {
  const played = activitiesOf(experiment).filter(([, activity]) => !isPassedOver(activity))
  const all = [...played, ...guardsOf(controlsOf(experiment)), ...findersOf(experiment)]
  return all.flatMap(([at, { provider, tolerance }]) => {
    const judge = isMap(tolerance) && tolerance.type === 'probe' ? (tolerance as unknown as CtkActivity).provider : undefined
    const withValue = judge?.type === 'python' ? { ...judge, arguments: { ...judge.arguments, value: null as Json } } : undefined
    return [provider, withValue].flatMap((each) => (each?.type === 'python' ? [[at, each] as const] : []))
  })
}

/** Those of a list, or none where there is no list. */
export function listOf<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : []
}

function placed<T>(at: string, value: readonly T[] | undefined): Placed<T>[] {
  return listOf(value).map((each, index) => [`${at}[${index}]`, each] as const)
}
