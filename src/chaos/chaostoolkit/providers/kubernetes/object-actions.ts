import type { Connection } from '../../../../clusters/index.ts'
import { ActivityFailed } from '../../types.ts'
import { clusterFunction, countingAction, type NativeFunction } from './define.ts'
import { create, list, orFail, patch, readManifest, remove, type Place, type Resource, type Selection } from './objects.ts'
import {
  chosenName,
  chosenSelector,
  name as required,
  ns,
  object,
  optionalName,
  optionalSelector,
  text,
  wholeNumber,
} from './parameters.ts'

/** Makes an object of a kind, from a file. */
export function creating(resource: Resource): NativeFunction {
  return clusterFunction({ spec_path: text, ns }, async ({ spec_path: path, ns: namespace }, cluster) => {
    await create(cluster, { resource, ns: namespace }, await readManifest(path))
    return null
  })
}

export function deleting(resource: Resource): NativeFunction {
  return clusterFunction({ name: required, ns }, async ({ name, ns: namespace }, cluster) => {
    await remove(cluster, { resource, ns: namespace }, name)
    return null
  })
}

/** By name, else by selector, else all of the namespace; also when there is none. */
export function deletingSome(resource: Resource): NativeFunction {
  return countingAction(
    { name: chosenName, ns, label_selector: chosenSelector },
    async ({ name, ns: namespace, label_selector: labels }, cluster) => {
      const selection = name === null ? { selector: labels } : { name }
      return { output: null, acted: await removeSome(cluster, { resource, ns: namespace }, selection) }
    },
  )
}

/** How many there were. */
export async function removeSome(cluster: Connection, place: Place, selection: Selection): Promise<number> {
  const found = await list(cluster, place, selection)
  for (const { metadata } of found) await remove(cluster, place, metadata.name)
  return found.length
}

export function updating(resource: Resource): NativeFunction {
  return clusterFunction({ name: required, spec: object, ns }, async ({ name, spec, ns: namespace }, cluster) => {
    await orFail(patch(cluster, { resource, ns: namespace }, name, spec))
    return null
  })
}

export function scaling(resource: 'deployments' | 'statefulsets'): NativeFunction {
  return clusterFunction({ name: required, replicas: wholeNumber, ns }, async ({ name, replicas, ns: namespace }, cluster) => {
    await orFail(patch(cluster, { resource, ns: namespace }, name, { spec: { replicas } }))
    return null
  })
}

/** As `kubectl rollout restart`. */
export const rolloutDeployment = clusterFunction({ name: optionalName, ns }, async ({ name, ns: namespace }, cluster) => {
  if (name === null) throw new ActivityFailed('the name of the deployment is missing')
  const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() }
  const restarted = { spec: { template: { metadata: { annotations } } } }
  await orFail(patch(cluster, { resource: 'deployments', ns: namespace }, name, restarted))
  return null
})

/** Whether there is one, by name, by selector, by both, or any at all. */
export function existing(resource: Resource): NativeFunction {
  return clusterFunction(
    { name: optionalName, ns, label_selector: optionalSelector },
    async ({ name, ns: namespace, label_selector: labels }, cluster) =>
      (await list(cluster, { resource, ns: namespace }, { name, selector: labels })).length > 0,
  )
}

export function existingByName(resource: Resource): NativeFunction {
  return clusterFunction(
    { name: required, ns },
    async ({ name, ns: namespace }, cluster) => (await list(cluster, { resource, ns: namespace }, { name })).length > 0,
  )
}
