import { endPod, isLiving, stillLiving, type Connection } from '../../../../clusters/index.ts'
import { ActivityFailed } from '../../types.ts'
import { countingAction } from './define.ts'
import { chosenPattern, chosenSelector, ns, wholeNumber } from './parameters.ts'
import { choosePods, podChoice, type PodChoice } from './pod-selection.ts'

/** Gives the names of the pods that were told to end. */
export const terminatePods = countingAction(
  { ...podChoice, grace_period: wholeNumber.default(-1) },
  async (args, cluster) => await terminate(cluster, args, args.grace_period),
)

/** One pod, as the package has it since it is deprecated. */
export const deletePods = countingAction(
  { name: chosenPattern, ns, label_selector: chosenSelector },
  async ({ name, ns: namespace, label_selector }, cluster) =>
    await deleteOnePod(cluster, { name, ns: namespace, label_selector }),
)

export async function deleteOnePod(
  cluster: Connection,
  { name, ns: namespace, label_selector }: Pick<PodChoice, 'ns' | 'label_selector'> & { readonly name: string | null },
): Promise<EndedPods> {
  const choice = { mode: 'fixed', qty: 1, order: 'alphabetic', all: false, rand: false, ns: namespace, label_selector }
  return await terminate(cluster, { ...choice, name_pattern: name }, -1)
}

/** The names of those that were told, and how many of them lived when they were chosen: the others ended without being told. */
interface EndedPods {
  readonly output: string[]
  readonly acted: number
}

/** Exactly the pods that were chosen, and none that has such a name by then: one that has gone by itself was not told. */
async function terminate(cluster: Connection, choice: PodChoice, gracePeriod: number): Promise<EndedPods> {
  const output: string[] = []
  let acted = 0
  for (const chosen of await choosePods(cluster, choice)) {
    const pod = { namespace: choice.ns, name: chosen.metadata.name, uid: chosen.metadata.uid }
    const ending = await endPod(cluster, pod, 'delete', gracePeriod < 0 ? undefined : gracePeriod)
    if (ending.outcome === 'unknown' && (await stillLiving(cluster, [pod])).length > 0) {
      throw new ActivityFailed(`pod ${pod.name} lives: ${ending.error.message}`)
    }
    if (ending.outcome === 'gone') continue
    output.push(pod.name)
    if (isLiving(chosen)) acted++
  }
  return { output, acted }
}
