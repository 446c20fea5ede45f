import { z } from 'zod'
import { clusterFunction, countingAction, unmet, type NativeFunction } from './define.ts'
import { removeSome } from './object-actions.ts'
import { list } from './objects.ts'
import { chosenNamedSelector, name as required, namedSelector, ns, withName } from './parameters.ts'
import { deleteOnePod } from './pod-actions.ts'

/** The deployment and the replica set of that name, and a pod. */
export const killMicroservice = countingAction(
  { name: required, ns, label_selector: chosenNamedSelector },
  async ({ name, ns: namespace, label_selector: labels }, cluster) => {
    const deployments = await removeSome(cluster, { resource: 'deployments', ns: namespace }, { name })
    const replicaSets = await removeSome(cluster, { resource: 'replicasets', ns: namespace }, { name })
    const pods = await deleteOnePod(cluster, { name, ns: namespace, label_selector: withName(labels, name) })
    return { output: null, acted: deployments + replicaSets + pods.acted }
  },
)

/** The same service by its name and by its labels. */
export const serviceEndpointIsInitialized = clusterFunction(
  { name: required, ns, label_selector: namedSelector },
  async ({ name, ns: namespace, label_selector: labels }, cluster) => {
    const found = await list(cluster, { resource: 'services', ns: namespace }, { name, selector: withName(labels, name) })
    return found.length > 0 || unmet(true, `there is no service ${name}`)
  },
)

/** A function by the name that it had before it could be told not to raise. */
export function raising({ parameters, ...rest }: NativeFunction): NativeFunction {
  const before = Object.entries(parameters.shape).filter(([name]) => !name.startsWith('raise_'))
  return { ...rest, parameters: z.strictObject(Object.fromEntries(before)) }
}
