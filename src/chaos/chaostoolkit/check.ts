import { HoldfastError, messageOf, type Json } from '../../kernel/index.ts'
import { parseJsonpath } from '../hypothesis/jsonpath.ts'
import { controlProblem } from './controls/known.ts'
import { activitiesOf, controlsOf, findersOf, functionsOf, guardsOf, listOf, type Placed, type PythonProvider } from './places.ts'
import { kubernetesProblem, nativeFunction } from './providers/kubernetes/call.ts'
import { findProgram } from './providers/process.ts'
import { checkPython } from './providers/python.ts'
import { isMap, pythonPattern } from './python-values.ts'
import type { CtkActivity, CtkExperiment, CtkProvider } from './types.ts'

type Place = { readonly at: string; readonly problem: string; readonly hint?: string }

export interface CheckOptions {
  /** Unknown controls are left out with a word, as Chaos Toolkit does: given each of them. */
  readonly onUnknownControl?: (name: string, problem: string) => void
  /** See Stage. */
  readonly pythonOnly?: boolean
}

/**
 * Everything that must be right before anything is played: the shape, programs and modules that exist, references that lead somewhere.
 * Throws `experiment-invalid` with all that is wrong.
 */
export async function checkExperiment(value: Json, options: CheckOptions, signal: AbortSignal): Promise<CtkExperiment> {
  if (!isMap(value)) throw invalid([{ at: 'the experiment', problem: 'is no map' }])
  const problems: Place[] = []
  const say = (at: string, problem: string | undefined) => void (problem === undefined || problems.push({ at, problem }))
  for (const key of ['title', 'description']) say(key, isText(value[key]) ? undefined : 'is missing')
  if (!Array.isArray(value.method)) say('method', 'is missing; an empty list only checks the steady state')
  const experiment = value as unknown as CtkExperiment
  const hypothesis = experiment['steady-state-hypothesis']
  if (hypothesis !== undefined && !isText(hypothesis.title)) say('steady-state-hypothesis.title', 'is missing')
  const probes = listOf(hypothesis?.probes)
  const method = listOf(experiment.method)
  const named = new Set([...method, ...probes].flatMap(({ name }) => name ?? []))
  for (const [at, activity] of activitiesOf(experiment)) say(at, activityProblem(activity, named))
  for (const [index, { ref, tolerance }] of probes.entries()) {
    const at = `steady-state-hypothesis.probes[${index}].tolerance`
    if (ref === undefined) say(at, tolerance === undefined ? 'is missing' : toleranceProblem(tolerance))
  }
  const controls = controlsOf(experiment)
  for (const [at, control] of controls) {
    const problem = controlProblem(control)
    if (problem === undefined) continue
    if (options.onUnknownControl === undefined) say(at, problem)
    else options.onUnknownControl(control.name, problem)
  }
  for (const [at, probe] of guardsOf(controls)) {
    say(
      at,
      activityProblem(probe, named) ?? (probe.tolerance === undefined ? 'has no tolerance' : toleranceProblem(probe.tolerance)),
    )
  }
  for (const [at, probe] of findersOf(experiment)) say(at, activityProblem(probe, named))
  if (problems.length === 0) problems.push(...(await functionProblems(experiment, options, signal)))
  if (problems.length > 0) throw invalid(problems)
  return experiment
}

const nativeHint = 'functions of chaosk8s take the arguments that they have in chaostoolkit-kubernetes 0.39'
const pythonHint = 'python modules must be importable by the python3 in PATH'

/** Functions that cannot be called: those that Holdfast has itself by their arguments, and the others as Python says. */
async function functionProblems(experiment: CtkExperiment, options: CheckOptions, signal: AbortSignal): Promise<Place[]> {
  const found: Place[] = []
  const left: Placed<PythonProvider>[] = []
  for (const [at, provider] of functionsOf(experiment)) {
    const native = nativeFunction(provider, options)
    if (native === undefined) left.push([at, provider])
    const problem = native === undefined ? undefined : kubernetesProblem(provider, native)
    if (problem !== undefined) found.push({ at, problem: `cannot be called: ${problem}`, hint: nativeHint })
  }
  const byPython =
    left.length === 0
      ? []
      : await checkPython(
          left.map(([, provider]) => provider),
          signal,
        )
  for (const [index, [at, provider]] of left.entries()) {
    const problem = byPython[index]
    if (problem === undefined) continue
    const isMissing = /^chaosk8s\b/.test(provider.module) && options.pythonOnly !== true
    const more = isMissing ? ` (Holdfast itself has no ${provider.module}.${provider.func})` : ''
    found.push({ at, problem: `cannot be called: ${problem}${more}`, hint: pythonHint })
  }
  return found
}

function activityProblem(activity: CtkActivity, named: ReadonlySet<string>): string | undefined {
  if (!isMap(activity as unknown as Json)) return 'is no activity'
  if (activity.ref !== undefined) return named.has(activity.ref) ? undefined : `refers to '${activity.ref}', which does not exist`
  if (activity.type !== 'probe' && activity.type !== 'action') return 'has no type: probe or action'
  if (!isText(activity.name)) return 'has no name'
  if (activity.background !== undefined && typeof activity.background !== 'boolean')
    return 'has a background that is neither true nor false'
  for (const when of ['before', 'after'] as const) {
    const pause = activity.pauses?.[when]
    const isVariable = typeof pause === 'string' && /^\$\{.*\}$/.test(pause)
    if (pause !== undefined && pause !== null && typeof pause !== 'number' && !isVariable)
      return `has a pause ${when} it that is no number`
  }
  return activity.provider === undefined ? 'has no provider' : providerProblem(activity.provider)
}

function providerProblem(provider: CtkProvider): string | undefined {
  switch (provider.type) {
    case 'process':
      if (!isText(provider.path)) return 'has a process without a path'
      return findProgram(provider.path) === undefined
        ? `names the program ${provider.path}, which cannot be found or run`
        : undefined
    case 'http':
      return isText(provider.url) ? undefined : 'has a request without a url'
    case 'python':
      return isText(provider.module) && isText(provider.func) ? undefined : 'has a function without its module or func'
    default:
      return `has a provider of the unknown type ${JSON.stringify((provider as { type: unknown }).type)}`
  }
}

function toleranceProblem(tolerance: Json): string | undefined {
  if (typeof tolerance === 'number') return Number.isInteger(tolerance) ? undefined : 'is a fraction: use a range'
  if (!isMap(tolerance)) return tolerance === null ? 'is missing' : undefined
  try {
    switch (tolerance.type) {
      case 'probe':
        return activityProblem(tolerance as unknown as CtkActivity, new Set())
      case 'regex':
        if (typeof tolerance.pattern !== 'string') return 'has no pattern'
        pythonPattern(tolerance.pattern)
        return undefined
      case 'jsonpath':
        if (typeof tolerance.path !== 'string') return 'has no path'
        // One that is made of variables is known when they are.
        if (!/\$\{/.test(tolerance.path)) parseJsonpath(tolerance.path)
        return undefined
      case 'range': {
        const isRange = Array.isArray(tolerance.range) && tolerance.range.length === 2
        return isRange && (tolerance.range as Json[]).every((bound) => typeof bound === 'number')
          ? undefined
          : 'has no range of two numbers'
      }
      default:
        return `is of the unknown type ${JSON.stringify(tolerance.type)}`
    }
  } catch (error) {
    return messageOf(error)
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function invalid(problems: readonly Place[]): HoldfastError {
  return new HoldfastError('experiment-invalid', {
    message: `nothing was begun: ${problems.map(({ at, problem }) => `${at} ${problem}`).join('; ')}`,
    hint: ['correct the experiment', ...new Set(problems.flatMap(({ hint = [] }) => hint))].join('; '),
    details: { problems: problems.map(({ at, problem }) => ({ at, problem })) },
  })
}
