import type { Connection } from '../../../../clusters/index.ts'
import { choose } from '../../../../faults/index.ts'
import { ActivityFailed } from '../../types.ts'
import { clusterFunction, countingAction, namesActedOn, type NativeFunction } from './define.ts'
import { list, listAsIs, orFail, patch } from './objects.ts'
import { chosenName, chosenSelector, optionalSelector, text } from './parameters.ts'

const place = { resource: 'nodes' } as const

export interface NodeChoice {
  readonly name: string | null
  readonly label_selector: string | null
  /** So many of them, at random, each once. */
  readonly count?: number | null
  /** Only those with such a pod, where both are given. */
  readonly pod_label_selector?: string | null
  readonly pod_namespace?: string | null
}

/** Names of nodes. Throws ActivityFailed when none fits. */
export async function chooseNodes(cluster: Connection, choice: NodeChoice): Promise<string[]> {
  const { name, label_selector: selector, count = null } = choice
  const { pod_label_selector: podSelector = null, pod_namespace: podNamespace = null } = choice
  const found = (await list(cluster, place, { name, selector })).map(({ metadata }) => metadata.name)
  let nodes = found
  if (podSelector !== null && podNamespace !== null) {
    const pods = await list(cluster, { resource: 'pods', ns: podNamespace }, { selector: podSelector })
    const used = new Set(pods.map(({ spec }) => spec?.nodeName))
    nodes = found.filter((node) => used.has(node))
  }
  if (nodes.length === 0) throw new ActivityFailed('there is no such node')
  return count === null ? nodes : choose(nodes, { count }, Math.random)
}

export async function setUnschedulable(cluster: Connection, node: string, unschedulable: boolean): Promise<void> {
  await orFail(patch(cluster, place, node, { spec: { unschedulable } }))
}

/** Gives the names of the nodes that pods come to from now on, or do not. */
export function cordoning(unschedulable: boolean): NativeFunction {
  return countingAction({ name: chosenName, label_selector: chosenSelector }, async (choice, cluster) => {
    const nodes = await chooseNodes(cluster, choice)
    for (const node of nodes) await setUnschedulable(cluster, node, unschedulable)
    return namesActedOn(nodes)
  })
}

const selected = { label_selector: optionalSelector }

/** The list as the API server gives it. */
export const getNodes = clusterFunction(selected, async ({ label_selector: selector }, cluster) =>
  listAsIs(cluster, place, { selector }),
)

async function conditionsOf(cluster: Connection, selector: string | null): Promise<Record<string, string>[]> {
  return (await list(cluster, place, { selector })).map(({ metadata, status }) => ({
    name: metadata.name,
    ...Object.fromEntries((status?.conditions ?? []).map(({ type, status: value }) => [type, value])),
  }))
}

/** Of each node its `name`, and each condition with its status. */
export const nodeConditions = clusterFunction(selected, async ({ label_selector: selector }, cluster) =>
  conditionsOf(cluster, selector),
)

/** Ready, that is; whether they are cordoned is not asked. */
export const allNodesReady = clusterFunction(selected, async ({ label_selector: selector }, cluster) =>
  (await conditionsOf(cluster, selector)).every(({ Ready }) => Ready === 'True'),
)

export const nodesHaveCondition = clusterFunction(
  { condition_type: text.default('PIDPressure'), condition_value: text.default('False'), ...selected },
  async ({ condition_type: type, condition_value: value, label_selector: selector }, cluster) =>
    (await conditionsOf(cluster, selector)).every((conditions) => conditions[type] === value),
)

/** Conditions of the kubelet and of the node problem detector that speak of trouble. */
const troubles = [
  'FrequentKubeletRestart',
  'FrequentDockerRestart',
  'FrequentContainerdRestart',
  'ReadonlyFilesystem',
  'KernelDeadlock',
  'CorruptDockerOverlay2',
  'FrequentUnregisterNetDevice',
  'NetworkUnavailable',
  'MemoryPressure',
  'DiskPressure',
  'PIDPressure',
]

/** Conditions that a node has not do not count. */
export const nodesAreHealthy = clusterFunction(selected, async ({ label_selector: selector }, cluster) =>
  (await conditionsOf(cluster, selector)).every(
    (conditions) =>
      (conditions.Ready ?? 'True') === 'True' && troubles.every((trouble) => (conditions[trouble] ?? 'False') === 'False'),
  ),
)
