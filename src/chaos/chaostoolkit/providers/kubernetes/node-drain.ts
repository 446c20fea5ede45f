import {
  controllerOf,
  endPod,
  hasEmptyDir,
  isStaticPod,
  type Connection,
  type KubeObject,
  type PodTrace,
} from '../../../../clusters/index.ts'
import { systemClock } from '../../../../kernel/index.ts'
import { ActivityFailed } from '../../types.ts'
import { countingAction, namesActedOn } from './define.ts'
import { chooseNodes, setUnschedulable } from './nodes.ts'
import { list, orFail } from './objects.ts'
import { chosenCount, chosenName, chosenSelector, flag, seconds } from './parameters.ts'

const pollMs = 500

/**
 * As `kubectl drain --ignore-daemonsets`, but pods with an emptyDir volume stay unless `delete_pods_with_local_storage`. Gives the names of the
 * nodes. Before any node is cordoned, a pod that nothing would start elsewhere makes it fail.
 */
export const drainNodes = countingAction(
  {
    name: chosenName,
    label_selector: chosenSelector,
    delete_pods_with_local_storage: flag.default(false),
    timeout: seconds.default(120),
    count: chosenCount,
    pod_label_selector: chosenSelector,
    pod_namespace: chosenName,
  },
  async ({ delete_pods_with_local_storage: local, timeout, ...choice }, cluster, signal) => {
    const nodes = await chooseNodes(cluster, choice)
    for (const node of nodes) await podsToEvict(cluster, node, local)
    for (const node of nodes) await setUnschedulable(cluster, node, true)
    for (const node of nodes) {
      const pods = await podsToEvict(cluster, node, local)
      const leaving: Leaving[] = []
      for (const pod of pods) leaving.push({ ...pod, doubt: await evict(cluster, pod) })
      await untilGone(cluster, { node, pods: leaving, timeout }, signal)
    }
    return namesActedOn(nodes)
  },
)

async function podsOn(cluster: Connection, node: string): Promise<readonly KubeObject[]> {
  return await list(cluster, { resource: 'pods' }, { field: `spec.nodeName=${node}` })
}

async function podsToEvict(cluster: Connection, node: string, local: boolean): Promise<PodTrace[]> {
  const moved = (await podsOn(cluster, node)).filter((pod) => {
    if (isStaticPod(pod) || (hasEmptyDir(pod) && !local)) return false
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return true
    const controller = controllerOf(pod)
    if (controller === undefined) throw new ActivityFailed(`nothing would start pod ${pod.metadata.name} of ${node} elsewhere`)
    return controller !== 'DaemonSet'
  })
  return moved.map(({ metadata: { namespace = '', name, uid } }) => ({ namespace, name, uid }))
}

interface Leaving extends PodTrace {
  /** Why nobody knows whether it was told; undefined: it was. */
  readonly doubt: string | undefined
}

/** Gives the doubt whether the pod was told; a look sees. */
async function evict(cluster: Connection, pod: PodTrace): Promise<string | undefined> {
  const ending = await orFail(endPod(cluster, pod, 'evict'))
  if (ending.outcome === 'held') throw new ActivityFailed(`a disruption budget holds up pod ${pod.name}`)
  return ending.outcome === 'unknown' ? ending.error.message : undefined
}

async function untilGone(
  cluster: Connection,
  { node, pods, timeout }: { readonly node: string; readonly pods: readonly Leaving[]; readonly timeout: number },
  signal: AbortSignal,
): Promise<void> {
  const endMs = systemClock.monotonicMs() + timeout * 1000
  for (;;) {
    const there = new Set((await podsOn(cluster, node)).map(({ metadata }) => metadata.uid))
    const left = pods.filter(({ uid }) => there.has(uid))
    if (left.length === 0) return
    if (systemClock.monotonicMs() > endMs) {
      const names = left.map(({ name, doubt }) => (doubt === undefined ? name : `${name} (${doubt})`))
      throw new ActivityFailed(`after ${timeout} s these pods are still on ${node}: ${names.join(', ')}`)
    }
    await systemClock.sleep(pollMs, signal)
  }
}
