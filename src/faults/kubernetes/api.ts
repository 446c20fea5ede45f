import { z } from 'zod'
import { clusterName, secretRef, type ClusterEntry, type SecretRef } from '../../catalog/index.ts'
import { connect, type Connection, type KubeObject } from '../../clusters/index.ts'
import { blocker, HoldfastError, quote, type Finding } from '../../kernel/index.ts'
import type { FaultContext, TraceContext } from '../contract.ts'

export const clusterParam = clusterName.describe('Which cluster of the catalog.')

/** As the catalog had it: an undo has no catalog. */
export const clusterTrace = z.strictObject({
  name: z.string(),
  kubeconfig: secretRef as unknown as z.ZodType<SecretRef>,
  context: z.string().optional(),
  /** The uid of its namespace kube-system, read when the fault was planned. */
  id: z.string(),
})

export type ClusterTrace = z.infer<typeof clusterTrace>

/** Throws `not-found` for a cluster that the catalog does not have, `identity-mismatch` when its kubeconfig leads to another. */
export async function findCluster(name: string, context: FaultContext, signal: AbortSignal): Promise<ClusterTrace> {
  const entry = context.catalog?.clusters[name]
  if (entry === undefined) throw new HoldfastError('not-found', { message: `the catalog has no cluster '${name}'` })
  await using connection = await connect(entry, context, signal)
  const id = await clusterId(connection)
  if (entry.id !== undefined && entry.id !== id) throw anotherCluster(name, entry.id, id)
  const { kubeconfig, context: named } = entry
  return { name, kubeconfig, id, ...(named === undefined ? {} : { context: named }) }
}

/** The very cluster of the plan: a kubeconfig can lead to another one by now. */
export async function openCluster(trace: ClusterTrace, context: TraceContext, signal: AbortSignal): Promise<Connection> {
  const connection = await connect(trace as ClusterEntry, context, signal)
  try {
    const id = await clusterId(connection)
    if (id !== trace.id) throw anotherCluster(trace.name, trace.id, id)
    return connection
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw error
  }
}

/** Whether an object carries one of the labels that are not to be hit; a workload also when it gives its pods one. */
export function isSpared({ metadata, spec }: KubeObject, { spare = [] }: Pick<FaultContext, 'spare'>): boolean {
  const { labels: ofPods } = (spec?.template as Partial<KubeObject> | undefined)?.metadata ?? {}
  const carries = (labels: KubeObject['metadata']['labels'], name: string, value: string) =>
    labels !== undefined && Object.hasOwn(labels, name) && labels[name] === value
  return spare.some(([name, value]) => carries(metadata.labels, name, value) || carries(ofPods, name, value))
}

/** Throws `fault-refused` when one of them is not to be hit. */
export function requireNoneSpared(objects: readonly KubeObject[], what: string, context: Pick<FaultContext, 'spare'>): void {
  const spared = objects.find((object) => isSpared(object, context))
  if (spared === undefined) return
  throw new HoldfastError('fault-refused', {
    message: `${what} ${spared.metadata.name} has a label that is excluded from experiments`,
  })
}

/** What keeps the cluster from being asked. */
export async function clusterFindings(name: string, context: FaultContext, signal: AbortSignal): Promise<Finding[]> {
  try {
    await findCluster(name, context, signal)
    return []
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return [blocker('cluster-unusable', error.message, error.hint)]
  }
}

/** A line for sh that reaches the cluster of the plan: `kubectl --context prod uncordon worker-3`. Words are quoted here. */
export function kubectl({ kubeconfig, context }: ClusterTrace, ...words: readonly string[]): string {
  const file = 'file' in kubeconfig ? ['--kubeconfig', kubeconfig.file] : []
  const named = context === undefined ? [] : ['--context', context]
  return ['kubectl', ...file, ...named, ...words].map(quote).join(' ')
}

async function clusterId(connection: Connection): Promise<string> {
  const path = '/api/v1/namespaces/kube-system'
  return ((await connection.send({ method: 'GET', path, what: 'read Namespace kube-system' })) as unknown as KubeObject).metadata
    .uid
}

function anotherCluster(name: string, expected: string, found: string): HoldfastError {
  return new HoldfastError('identity-mismatch', {
    message: `the kubeconfig of ${name} leads to the cluster ${found}, not to ${expected}`,
    hint: 'nothing was changed there',
    details: { expected, found },
  })
}
