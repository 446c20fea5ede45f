import type { Connection, KubeObject } from '../../../../clusters/index.ts'
import { choose, howMany } from '../../../../faults/index.ts'
import { pythonPattern } from '../../python-values.ts'
import { ActivityFailed } from '../../types.ts'
import { list } from './objects.ts'
import { chosenPattern, chosenSelector, flag, ns, text, wholeNumber } from './parameters.ts'

/** How an action says which pods it means. */
export const podChoice = {
  label_selector: chosenSelector,
  name_pattern: chosenPattern,
  all: flag.default(false),
  rand: flag.default(false),
  mode: text.default('fixed'),
  qty: wholeNumber.default(1),
  ns,
  order: text.default('alphabetic'),
}

export interface PodChoice {
  readonly label_selector: string | null
  readonly name_pattern: string | null
  readonly all: boolean
  readonly rand: boolean
  readonly mode: string
  readonly qty: number
  readonly ns: string
  readonly order: string
}

/** The first of those that fit, by name or by age, or some at random; `qty` of them, as a number or as a percentage that is rounded up. */
export async function choosePods(cluster: Connection, choice: PodChoice): Promise<readonly KubeObject[]> {
  const { qty, mode, order, name_pattern: pattern, ns: namespace, label_selector: selector } = choice
  if (qty < 0) throw new ActivityFailed(`pods cannot be chosen: qty is ${qty}, which is negative`)
  if (mode !== 'fixed' && mode !== 'percentage') throw new ActivityFailed(`pods cannot be chosen: there is no mode ${mode}`)
  if (order !== 'alphabetic' && order !== 'oldest') throw new ActivityFailed(`pods cannot be chosen: there is no order ${order}`)
  const found = await list(cluster, { resource: 'pods', ns: namespace }, { selector })
  const named = pattern === null ? undefined : pythonPattern(pattern)
  const fitting = found.filter(({ metadata }) => named?.test(metadata.name) ?? true)
  const pods = order === 'oldest' ? fitting.toSorted(byAge) : fitting
  if (choice.all) return pods
  const count = howMany(pods.length, mode === 'percentage' ? { percent: qty } : { count: qty })
  return choice.rand ? choose(pods, { count }, Math.random) : pods.slice(0, count)
}

function byAge(a: KubeObject, b: KubeObject): number {
  return (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '')
}
