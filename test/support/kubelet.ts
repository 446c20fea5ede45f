import { CoreV1Api, PatchStrategy, setHeaderOptions, type V1Pod } from '@kubernetes/client-node'
import { attending } from './attending.ts'
import type { Kubernetes } from './kubernetes.ts'

/**
 * Plays scheduler and kubelet, for there are no nodes, as kwok does: pods are bound to a node that is only an object, become ready, and are
 * gone when they are told to end. Nothing of them runs. All other changes are the real controllers'.
 */
export interface Kubelet extends AsyncDisposable {
  /** Pods for which it answers yes do not become ready; an image that cannot be pulled, say. */
  holdsUp: (pod: V1Pod) => boolean
  /** Pods for which it answers yes go on running though they were told to end. */
  keepsRunning: (pod: V1Pod) => boolean
}

const node = 'node-1'

export async function startKubelet({ config }: Kubernetes): Promise<Kubelet> {
  const api = config('admin').makeApiClient(CoreV1Api)
  await api.createNode({ body: { metadata: { name: node } } })
  const kubelet = { holdsUp: () => false, keepsRunning: () => false } as Pick<Kubelet, 'holdsUp' | 'keepsRunning'>
  const pods = async () => (await api.listPodForAllNamespaces()).items
  return Object.assign(
    kubelet,
    attending<V1Pod>(50, pods, (pod) => attend(api, pod, kubelet)),
  )
}

async function attend(
  api: CoreV1Api,
  pod: V1Pod,
  { holdsUp, keepsRunning }: Pick<Kubelet, 'holdsUp' | 'keepsRunning'>,
): Promise<void> {
  const { name = '', namespace = '', deletionTimestamp } = pod.metadata ?? {}
  if (deletionTimestamp !== undefined) {
    if (!keepsRunning(pod)) await api.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 })
  } else if (pod.spec?.nodeName === undefined) {
    const body = { metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: node } }
    await api.createNamespacedPodBinding({ name, namespace, body })
  } else {
    const isReady = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
    if (isReady || holdsUp(pod)) return
    const conditions = [
      { type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() },
      { type: 'ContainersReady', status: 'True' },
    ]
    const body = { status: { phase: 'Running', conditions } }
    await api.patchNamespacedPodStatus(
      { name, namespace, body },
      setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
    )
  }
}
