import type { ClusterEntry, Catalog } from '../../src/catalog/index.ts'
import { resolveSecret } from '../../src/catalog/index.ts'
import { actionBench, type ActionBench } from './aws-actions.ts'
import type { Kubernetes } from './kubernetes.ts'

/** A catalog with nothing but clusters: `dr`, pinned, as admin; `limited`, as that user. */
export async function clusterCatalog(kubernetes: Kubernetes): Promise<Catalog> {
  const id = await kubernetes.kubectl('get', 'namespace', 'kube-system', '--output=jsonpath={.metadata.uid}')
  const entry = async (name: string, user: 'admin' | 'limited'): Promise<ClusterEntry> => ({
    name,
    id,
    context: 'test',
    kubeconfig: { file: await kubernetes.kubeconfig(user) },
  })
  const clusters = { dr: await entry('dr', 'admin'), limited: await entry('limited', 'limited') }
  return { file: `${kubernetes.folder}/holdfast.yaml`, clusters } as unknown as Catalog
}

/** `said` gets what the steps tell those who watch. */
export async function kubernetesBench(catalog: Catalog, said: string[] = []): Promise<ActionBench> {
  return await actionBench({
    catalog,
    resolveSecret: (reference, signal) => resolveSecret(reference, signal),
    progress: ({ text }) => said.push(text),
  })
}
