import { z } from 'zod'
import { text } from '../catalog/index.ts'
import { apiPath, isMissing, podsPath, readObject, type KubeObject } from '../clusters/index.ts'
import { absent, present } from './contract.ts'
import { defineFault } from './define-fault.ts'
import {
  clusterFindings,
  clusterParam,
  clusterTrace,
  findCluster,
  kubectl,
  openCluster,
  requireNoneSpared,
} from './kubernetes/api.ts'

const params = z.strictObject({
  cluster: clusterParam,
  namespace: text.describe('The namespace of the pods.'),
  labels: z.record(text, z.string()).describe('Which pods: those with all of these labels.'),
  direction: z.enum(['in', 'out', 'both']).describe('Whether nothing reaches them, they reach nothing, or both.').default('both'),
})

interface Params {
  readonly cluster: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly direction: 'in' | 'out' | 'both'
}

const traces = z.strictObject({ cluster: clusterTrace, namespace: z.string() })
type Traces = z.infer<typeof traces>

/** Pods are cut off from all others. */
export const kubernetesNetworkPolicy = defineFault<Params, Traces>({
  kind: 'kubernetes.network-policy',
  description:
    'Cuts pods off, by a NetworkPolicy named after the injection that allows nothing. The cluster only keeps the policy: whether packets are lost is up to its network plugin, so have a probe that shows it. What other policies allow these pods stays allowed.',
  example: { cluster: 'prod', namespace: 'shop', labels: { app: 'web' }, direction: 'both' },
  params,
  traces,
  expiry: 'never',
  preflight: ({ cluster }, context, signal) => clusterFindings(cluster, context, signal),

  async plan({ cluster: name, namespace, labels }, context, signal) {
    const cluster = await findCluster(name, context, signal)
    await using connection = await openCluster(cluster, context, signal)
    const labelSelector = Object.entries(labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(',')
    const { items } = (await connection.send({
      method: 'GET',
      path: podsPath(namespace),
      query: { labelSelector },
      what: `list pods of ${namespace}`,
    })) as unknown as { items: KubeObject[] }
    requireNoneSpared(items, 'Pod', context)
    return {
      targets: items.map(({ metadata }) => `pod ${namespace}/${metadata.name} of ${name}`),
      traces: { cluster, namespace },
    }
  },

  async inject({ labels, direction }, { cluster, namespace }, context, signal) {
    await using connection = await openCluster(cluster, context, signal)
    const policyTypes = [...(direction === 'out' ? [] : ['Ingress']), ...(direction === 'in' ? [] : ['Egress'])]
    const body = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: nameOf(context.id), namespace, labels: { 'holdfast.dev/fault': context.id } },
      spec: { podSelector: { matchLabels: labels }, policyTypes },
    }
    await connection.send({
      method: 'POST',
      path: policies(namespace),
      body,
      what: `create NetworkPolicy ${namespace}/${nameOf(context.id)}`,
      changes: true,
    })
  },

  async look({ cluster, namespace }, context, signal) {
    await using connection = await openCluster(cluster, context, signal)
    const found = await readObject(connection, `${policies(namespace)}/${nameOf(context.id)}`, 'NetworkPolicy')
    return found === undefined ? absent : present
  },

  async undo({ cluster, namespace }, context, signal) {
    await using connection = await openCluster(cluster, context, signal)
    const path = `${policies(namespace)}/${nameOf(context.id)}`
    await connection.send({ method: 'DELETE', path, what: 'delete NetworkPolicy', changes: true }).catch((error: unknown) => {
      if (!isMissing(error)) throw error
    })
  },

  manualUndo: ({ cluster, namespace }, id) => [kubectl(cluster, 'delete', '-n', namespace, `networkpolicy/${nameOf(id)}`)],
})

function policies(namespace: string): string {
  return apiPath('/apis/networking.k8s.io/v1', 'namespaces', namespace, 'networkpolicies')
}

function nameOf(id: string): string {
  return `holdfast-${id}`
}
