import type { ClusterEntry } from '../../src/catalog/index.ts'
import type { ActionBench } from './aws-actions.ts'
import { startKubelet, type Kubelet } from './kubelet.ts'
import { clusterCatalog, kubernetesBench } from './kubernetes-actions.ts'
import { kubernetesProxy, type KubernetesProxy } from './kubernetes-proxy.ts'
import { startKubernetes, type Kubernetes } from './kubernetes.ts'

/** A control plane with a kubelet, and steps that act on it: on the cluster `dr` directly, on `proxied` through a proxy that can lose things. */
export interface KubernetesWorld extends AsyncDisposable {
  readonly kubernetes: Kubernetes
  readonly kubelet: Kubelet
  readonly proxy: KubernetesProxy
  readonly bench: ActionBench
  /** What the steps told those who watch. */
  readonly said: string[]
  /** Everything is well again. */
  calm(): void
}

/** `more` clusters for the catalog, of such that `dr` is one. */
type MoreClusters = (kubernetes: Kubernetes, dr: ClusterEntry) => Promise<Readonly<Record<string, ClusterEntry>>>

export async function startKubernetesWorld(program: string, more?: MoreClusters): Promise<KubernetesWorld> {
  await using stack = new AsyncDisposableStack()
  const kubernetes = stack.use(await startKubernetes(program))
  const kubelet = stack.use(await startKubelet(kubernetes))
  const proxy = stack.use(await kubernetesProxy(kubernetes))
  const catalog = await clusterCatalog(kubernetes)
  const { dr } = catalog.clusters
  if (dr === undefined) throw new Error('there is no dr')
  const proxied = { ...dr, name: 'proxied', kubeconfig: { file: await kubernetes.kubeconfig('admin', { port: proxy.port }) } }
  const clusters = { ...catalog.clusters, proxied, ...(await more?.(kubernetes, dr)) }
  const said: string[] = []
  const bench = stack.use(await kubernetesBench({ ...catalog, clusters }, said))
  const all = stack.move()
  return {
    kubernetes,
    kubelet,
    proxy,
    bench,
    said,
    calm() {
      kubelet.holdsUp = () => false
      kubelet.keepsRunning = () => false
      proxy.rule = () => undefined
      proxy.calls.length = 0
      said.length = 0
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
