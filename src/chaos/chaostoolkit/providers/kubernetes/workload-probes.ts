import type { KubeObject } from '../../../../clusters/index.ts'
import { clusterFunction, unmet, type NativeFunction } from './define.ts'
import { list } from './objects.ts'
import { flag, name as required, ns, optionalSelector, seconds, withName } from './parameters.ts'
import { isSeen } from './watch.ts'

/** Of a Deployment and a StatefulSet; numbers that are 0 may be left out of a status. */
interface Workload extends KubeObject {
  readonly spec?: { readonly replicas?: number }
  readonly status?: KubeObject['status'] & {
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    /** Of a DaemonSet. */
    readonly numberReady?: number
    readonly desiredNumberScheduled?: number
  }
}

type Kind = 'deployments' | 'statefulsets' | 'daemonsets'

const named = { name: required, ns, label_selector: optionalSelector }

/** As the package compares: one that shall have no replicas says nothing of how many are ready, and does not count as ready. */
const isReady = ({ spec, status }: Workload) => status?.readyReplicas === spec?.replicas
const isAvailable = ({ spec, status }: Workload) => status?.availableReplicas === spec?.replicas
const areAllReady = ({ status }: Workload) => status?.numberReady === status?.desiredNumberScheduled

export const deploymentAvailableAndHealthy = clusterFunction(
  { ...named, raise_on_unavailable: flag.default(true) },
  async ({ name, ns: namespace, label_selector: selector, raise_on_unavailable: raises }, cluster) => {
    const found = await list<Workload>(cluster, { resource: 'deployments', ns: namespace }, { name, selector })
    if (found.length === 0) return unmet(raises, `there is no deployment ${name}`)
    return found.every(isAvailable) || unmet(raises, `deployment ${name} is not healthy`)
  },
)

export const deploymentPartiallyAvailable = clusterFunction(
  { ...named, raise_on_not_partially_available: flag.default(true) },
  async ({ name, ns: namespace, label_selector: selector, raise_on_not_partially_available: raises }, cluster) => {
    const [found] = await list<Workload>(cluster, { resource: 'deployments', ns: namespace }, { name, selector })
    if (found === undefined) return unmet(raises, `there is no deployment ${name}`)
    return (found.status?.availableReplicas ?? 0) >= 1 || unmet(raises, `deployment ${name} has no available replica`)
  },
)

export const daemonSetAvailableAndHealthy = clusterFunction(
  named,
  async ({ name, ns: namespace, label_selector: selector }, cluster) => {
    const found = await list<Workload>(cluster, { resource: 'daemonsets', ns: namespace }, { name, selector })
    return found.length > 0 && found.every(areAllReady)
  },
)

export const daemonSetPartiallyAvailable = clusterFunction(
  named,
  async ({ name, ns: namespace, label_selector: selector }, cluster) => {
    const [found] = await list<Workload>(cluster, { resource: 'daemonsets', ns: namespace }, { name, selector })
    return (found?.status?.numberReady ?? 0) >= 1
  },
)

/** Waits until all of a workload is ready, for `timeout` seconds. */
export function fullyAvailable(resource: Exclude<Kind, 'daemonsets'>): NativeFunction {
  return clusterFunction(
    { ...named, timeout: seconds, raise_on_not_fully_available: flag.default(true) },
    async ({ raise_on_not_fully_available: raises, ...args }, cluster, signal) =>
      (await isSeen<Workload>(cluster, watched(resource, args), isReady, signal)) ||
      unmet(raises, `${args.name} was not fully available within ${args.timeout} s`),
  )
}

/** Waits until some of a workload is not ready, for `timeout` seconds. */
export function notFullyAvailable(resource: Exclude<Kind, 'daemonsets'>): NativeFunction {
  return clusterFunction(
    { ...named, timeout: seconds, raise_on_fully_available: flag.default(true) },
    async ({ raise_on_fully_available: raises, ...args }, cluster, signal) =>
      (await isSeen<Workload>(cluster, watched(resource, args), (object) => !isReady(object), signal)) ||
      unmet(raises, `${args.name} was fully available for ${args.timeout} s`),
  )
}

/** The same of a DaemonSet, which never raises. */
export function daemonSetWaiting(wanted: 'ready' | 'not ready'): NativeFunction {
  return clusterFunction(
    { ...named, timeout: seconds },
    async (args, cluster, signal) =>
      await isSeen<Workload>(
        cluster,
        watched('daemonsets', args),
        (object) => areAllReady(object) === (wanted === 'ready'),
        signal,
      ),
  )
}

interface Named {
  readonly name: string
  readonly ns: string
  readonly label_selector: string | null
  readonly timeout: number
}

function watched(resource: Kind, { name, ns: namespace, label_selector: labels, timeout }: Named) {
  const selector = labels === null ? null : withName(labels, name)
  return { place: { resource, ns: namespace }, selection: { name, selector }, timeoutMs: timeout * 1000 }
}
