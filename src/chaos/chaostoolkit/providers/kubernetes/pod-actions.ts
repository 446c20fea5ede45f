import { isMissing, type Connection } from '../../../../clusters/index.ts'
import { clusterFunction } from './define.ts'
import { remove } from './objects.ts'
import { ns, optionalSelector, optionalText, wholeNumber } from './parameters.ts'
import { choosePods, podChoice, type PodChoice } from './pod-selection.ts'

/** Gives the names of the pods that were told to end. */
export const terminatePods = clusterFunction({ ...podChoice, grace_period: wholeNumber.default(-1) }, async (args, cluster) =>
  terminate(cluster, args, args.grace_period),
)

/** One pod, as the package has it since it is deprecated. */
export const deletePods = clusterFunction(
  { name: optionalText, ns, label_selector: optionalSelector },
  async ({ name, ns: namespace, label_selector }, cluster) => deleteOnePod(cluster, { name, ns: namespace, label_selector }),
)

export async function deleteOnePod(
  cluster: Connection,
  { name, ns: namespace, label_selector }: Pick<PodChoice, 'ns' | 'label_selector'> & { readonly name: string | null },
): Promise<string[]> {
  const choice = { mode: 'fixed', qty: 1, order: 'alphabetic', all: false, rand: false, ns: namespace, label_selector }
  return await terminate(cluster, { ...choice, name_pattern: name }, -1)
}

/** Exactly the pods that were chosen, and none that has such a name by then. */
async function terminate(cluster: Connection, choice: PodChoice, gracePeriod: number): Promise<string[]> {
  const ended: string[] = []
  const grace = gracePeriod < 0 ? {} : { gracePeriodSeconds: gracePeriod }
  for (const { metadata } of await choosePods(cluster, choice)) {
    const options = { ...grace, preconditions: { uid: metadata.uid } }
    await remove(cluster, { resource: 'pods', ns: choice.ns }, metadata.name, options).catch((error: unknown) => {
      // It has ended by itself meanwhile.
      if (!isMissing(error)) throw error
    })
    ended.push(metadata.name)
  }
  return ended
}
