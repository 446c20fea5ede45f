import { z } from 'zod'
import type { Connection } from '../../../../clusters/index.ts'
import type { Json } from '../../../../kernel/index.ts'
import { ActivityFailed, type CtkAnswer } from '../../types.ts'

/** A function of the package chaostoolkit-kubernetes that Holdfast does itself: same arguments, same answers. */
export interface NativeFunction {
  readonly parameters: z.ZodObject
  /** False: its answer rests on its arguments alone. */
  readonly asksCluster: boolean
  /** Throws ActivityFailed where the package raises it. */
  play(given: Json, open: () => Promise<Connection>, signal: AbortSignal): Promise<CtkAnswer>
}

type ArgumentsOf<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape, z.core.$strict>>

/** One that finds what it acts on by itself, and counts it. */
export function countingAction<Shape extends z.ZodRawShape>(
  shape: Shape,
  play: (args: ArgumentsOf<Shape>, cluster: Connection, signal: AbortSignal) => Promise<CtkAnswer>,
): NativeFunction {
  const parameters = z.strictObject(shape)
  return {
    parameters,
    asksCluster: true,
    async play(given, open, signal) {
      const args = checked(parameters, given)
      await using cluster = await open()
      return await play(args, cluster, signal)
    },
  }
}

export function clusterFunction<Shape extends z.ZodRawShape>(
  shape: Shape,
  play: (args: ArgumentsOf<Shape>, cluster: Connection, signal: AbortSignal) => Promise<Json>,
): NativeFunction {
  return countingAction(shape, async (...given) => ({ output: await play(...given) }))
}

/** The names of what an action acted on, which are its answer too. */
export function namesActedOn(names: readonly string[]): CtkAnswer {
  return { output: [...names], acted: names.length }
}

export function plainFunction<Shape extends z.ZodRawShape>(
  shape: Shape,
  play: (args: ArgumentsOf<Shape>) => Json,
): NativeFunction {
  const parameters = z.strictObject(shape)
  return { parameters, asksCluster: false, play: async (given) => ({ output: play(checked(parameters, given)) }) }
}

function checked<T extends z.ZodObject>(parameters: T, given: Json): z.output<T> {
  const problem = argumentProblem(parameters, given)
  if (problem !== undefined) throw new ActivityFailed(problem)
  return parameters.parse(given)
}

/**
 * What is wrong with the arguments of a call; undefined when nothing is.
 *
 * @param isOpen arguments whose values are not known yet
 */
export function argumentProblem(
  parameters: z.ZodObject,
  given: Json,
  isOpen: (name: string) => boolean = () => false,
): string | undefined {
  const { error } = parameters.safeParse(given)
  const problems = (error?.issues ?? []).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return [`it takes no argument ${issue.keys.join(', ')}`]
    const name = String(issue.path[0] ?? '')
    if (isOpen(name)) return []
    const isMissing = !(typeof given === 'object' && given !== null && Object.hasOwn(given, name))
    return [isMissing ? `it needs the argument ${name}` : `its argument ${issue.path.join('.')} ${issue.message}`]
  })
  return problems.length === 0 ? undefined : [...new Set(problems)].join(', ')
}

/** How the package says no: by an exception, or by the answer false when it is told not to raise. */
export function unmet(raises: boolean, because: string): false {
  if (raises) throw new ActivityFailed(because)
  return false
}
