import { endPod, stillLiving, type Connection } from '../../../../clusters/index.ts'
import { ActivityFailed } from '../../types.ts'
import { countingAction, namesActedOn } from './define.ts'
import { chosenPattern, chosenSelector, ns, wholeNumber } from './parameters.ts'
import { choosePods, podChoice, type PodChoice } from './pod-selection.ts'

/** Gives the names of the pods that were told to end. */
export const terminatePods = countingAction({ ...podChoice, grace_period: wholeNumber.default(-1) }, async (args, cluster) =>
  namesActedOn(await terminate(cluster, args, args.grace_period)),
)

/** One pod, as the package has it since it is deprecated. */
export const deletePods = countingAction(
  { name: chosenPattern, ns, label_selector: chosenSelector },
  async ({ name, ns: namespace, label_selector }, cluster) =>
    namesActedOn(await deleteOnePod(cluster, { name, ns: namespace, label_selector })),
)

export async function deleteOnePod(
  cluster: Connection,
  { name, ns: namespace, label_selector }: Pick<PodChoice, 'ns' | 'label_selector'> & { readonly name: string | null },
): Promise<string[]> {
  const choice = { mode: 'fixed', qty: 1, order: 'alphabetic', all: false, rand: false, ns: namespace, label_selector }
  return await terminate(cluster, { ...choice, name_pattern: name }, -1)
}

/** Exactly the pods that were chosen, and none that has such a name by then: one that has gone by itself was not told. */
async function terminate(cluster: Connection, choice: PodChoice, gracePeriod: number): Promise<string[]> {
  const ended: string[] = []
  for (const { metadata } of await choosePods(cluster, choice)) {
    const pod = { namespace: choice.ns, name: metadata.name, uid: metadata.uid }
    const outcome = await endPod(cluster, pod, 'delete', gracePeriod < 0 ? undefined : gracePeriod)
    if (outcome === 'unknown' && (await stillLiving(cluster, [pod])).length > 0) {
      throw new ActivityFailed(`pod ${pod.name} lives: there was no answer when it was told to end`)
    }
    if (outcome !== 'gone') ended.push(pod.name)
  }
  return ended
}
