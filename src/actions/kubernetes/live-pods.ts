import type { Cluster } from './cluster.ts'
import { selectorText, type Workload } from './workload.ts'

/**
 * How many pods of a workload may still run something. Those that are being terminated count, which its status leaves out: until they are
 * gone they can go on writing.
 */
export async function livePods(cluster: Cluster, workload: Workload): Promise<number> {
  const pods = await cluster.list({ apiVersion: 'v1', kind: 'Pod', namespace: workload.ref.namespace }, selectorText(workload))
  return pods.filter(({ status }) => !ended.has((status as { readonly phase?: string } | undefined)?.phase ?? '')).length
}

const ended: ReadonlySet<string> = new Set(['Succeeded', 'Failed'])
