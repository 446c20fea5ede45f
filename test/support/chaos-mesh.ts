import { CoreV1Api, CustomObjectsApi } from '@kubernetes/client-node'
import { attending } from './attending.ts'
import type { Kubernetes } from './kubernetes.ts'

/**
 * Stands in for Chaos Mesh's controller, with its real custom resource definitions in a real API server: it keeps the finalizer and the conditions of
 * each object as `controllers/common` of Chaos Mesh does, for a selector of labels in the object's namespace. It breaks nothing.
 */
export interface ChaosController extends AsyncDisposable {
  /** As long as this is so, what was deleted stays: it cannot be taken back. */
  isStuck: boolean
}

const group = 'chaos-mesh.org'
const version = 'v1alpha1'
const finalizer = 'chaos-mesh/records'

interface Chaos {
  readonly metadata: {
    readonly name: string
    readonly creationTimestamp: string
    readonly deletionTimestamp?: string
    readonly finalizers?: readonly string[]
  }
  readonly spec: { readonly duration?: string; readonly selector: { readonly labelSelectors?: Readonly<Record<string, string>> } }
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

export async function startChaosController({ config }: Kubernetes, namespace: string, plural: string): Promise<ChaosController> {
  const objects = config('admin').makeApiClient(CustomObjectsApi)
  const core = config('admin').makeApiClient(CoreV1Api)
  const controller = { isStuck: false }
  const kind = { group, version, namespace, plural }
  const attend = async (chaos: Chaos): Promise<void> => {
    const { metadata, spec } = chaos
    const replace = (changed: object) =>
      objects.replaceNamespacedCustomObject({ ...kind, name: metadata.name, body: { ...chaos, ...changed } })
    if (metadata.deletionTimestamp !== undefined) {
      if (!controller.isStuck) await replace({ metadata: { ...metadata, finalizers: [] } })
      return
    }
    if (metadata.finalizers === undefined) return void (await replace({ metadata: { ...metadata, finalizers: [finalizer] } }))
    const labelSelector = Object.entries(spec.selector.labelSelectors ?? {})
      .map(([label, value]) => `${label}=${value}`)
      .join(',')
    const selects = (await core.listNamespacedPod({ namespace, labelSelector })).items.length > 0
    const isOver = Date.now() - Date.parse(metadata.creationTimestamp) > Number.parseInt(spec.duration ?? '1000000') * 1000
    const is = {
      Selected: selects,
      AllInjected: selects && !isOver,
      AllRecovered: selects && isOver,
      Paused: false,
    }
    const conditions = Object.entries(is).map(([type, holds]) => ({ type, status: holds ? 'True' : 'False' }))
    if (JSON.stringify(chaos.status?.conditions) === JSON.stringify(conditions)) return
    await replace({ status: { experiment: { desiredPhase: isOver ? 'Stop' : 'Run' }, conditions } })
  }
  const all = async () => ((await objects.listNamespacedCustomObject(kind)) as { readonly items: readonly Chaos[] }).items
  return Object.assign(controller, attending(100, all, attend))
}
