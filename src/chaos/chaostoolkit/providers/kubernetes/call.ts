import { HoldfastError, isHoldfastError, messageOf } from '../../../../kernel/index.ts'
import { functionsOf, type PythonProvider } from '../../places.ts'
import { isMap } from '../../python-values.ts'
import { substitute } from '../../substitute.ts'
import { ActivityFailed, type CtkActivity, type CtkAnswer, type CtkExperiment, type CtkVariables } from '../../types.ts'
import { secretsFor } from '../../variables.ts'
import { openCluster } from './access.ts'
import { argumentProblem, type NativeFunction } from './define.ts'
import { nativeModules } from './functions.ts'

/** Whether functions that Holdfast has itself are left to Python too. */
export interface NativeChoice {
  readonly pythonOnly?: boolean
}

/** The function of a provider, where Holdfast has it itself, and shall call it. */
export function nativeFunction(
  { module, func }: PythonProvider,
  { pythonOnly = false }: NativeChoice,
): NativeFunction | undefined {
  if (pythonOnly) return undefined
  const functions = Object.hasOwn(nativeModules, module) ? nativeModules[module] : undefined
  return functions !== undefined && Object.hasOwn(functions, func) ? functions[func] : undefined
}

/** What is wrong with the arguments; undefined when nothing is. Those that variables are in are looked at when it is called. */
export function kubernetesProblem(provider: PythonProvider, { parameters }: NativeFunction): string | undefined {
  const given = provider.arguments ?? {}
  if (!isMap(given)) return 'its arguments are no map'
  const problem = argumentProblem(parameters, given, (name) => JSON.stringify(given[name] ?? null).includes('$'))
  return problem === undefined ? undefined : `${provider.module}.${provider.func}: ${problem}`
}

interface ClusterNeeds extends NativeChoice {
  readonly variables: CtkVariables
  /** See functionsOf. */
  readonly isPassedOver: (activity: CtkActivity) => boolean
}

/**
 * Throws `experiment-invalid`, before anything is sent, when no cluster can be found by the secrets of an activity that asks one, and the
 * environment; or why it was aborted.
 */
export async function requireClusters(
  experiment: CtkExperiment,
  { variables, isPassedOver, ...choice }: ClusterNeeds,
  signal: AbortSignal,
): Promise<void> {
  const called = functionsOf(experiment, isPassedOver)
  const asking = called.filter(([, provider]) => nativeFunction(provider, choice)?.asksCluster === true)
  // Most ask one and the same: the first speaks for all.
  const distinct = new Map(asking.toReversed().map((each) => [JSON.stringify(each[1].secrets ?? []), each]))
  for (const [at, provider] of distinct.values()) {
    try {
      await using _ = await openCluster(secretsFor(provider, variables), signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!isHoldfastError(error)) throw error
      throw new HoldfastError('experiment-invalid', {
        message: `nothing was begun: ${at} asks a cluster, but ${error.message}`,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        cause: error,
      })
    }
  }
}

/** The answer of the function. Throws ActivityFailed with what the package would have raised. */
export async function playKubernetes(
  provider: PythonProvider,
  native: NativeFunction,
  variables: CtkVariables,
  signal: AbortSignal,
): Promise<CtkAnswer> {
  try {
    const open = () => openCluster(secretsFor(provider, variables), signal)
    return await native.play(substitute(provider.arguments ?? {}, variables), open, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ActivityFailed) throw new ActivityFailed(`chaoslib.exceptions.ActivityFailed: ${error.message}`)
    const status = isHoldfastError(error) ? error.details.status : undefined
    // Whoever reads journals of the package looks for the name of its exception.
    const name = typeof status === 'number' ? `kubernetes.client.exceptions.ApiException: (${status}) ` : ''
    throw new ActivityFailed(`${name}${messageOf(error)}`)
  }
}
