import type { Json } from '../../../../kernel/index.ts'
import { ActivityFailed } from '../../types.ts'
import { clusterFunction, type NativeFunction } from './define.ts'
import { create, readManifest, remove } from './objects.ts'
import { chosenLabels, ns, object, optionalText } from './parameters.ts'

const resource = 'networkpolicies'

export const createNetworkPolicy = clusterFunction(
  { spec: object.nullable().default(null), spec_path: optionalText, ns },
  async ({ spec, spec_path: path, ns: namespace }, cluster) => {
    if (path === null && spec === null) throw new ActivityFailed('neither spec nor spec_path is given')
    await create(cluster, { resource, ns: namespace }, path === null ? spec : await readManifest(path))
    return null
  },
)

/** Policies that the package knows by name; each has its counterpart that removes it. */
const ready = {
  denyIngress: { name: 'chaostoolkit-deny-all-ingress', rules: { policyTypes: ['Ingress'], ingress: [] } },
  denyEgress: { name: 'chaostoolkit-deny-all-egress', rules: { policyTypes: ['Egress'] } },
  allowDns: {
    name: 'chaostoolkit-allow-dns',
    rules: {
      policyTypes: ['Egress'],
      egress: [{ to: [{ namespaceSelector: {} }], ports: ['UDP', 'TCP'].map((protocol) => ({ port: 53, protocol })) }],
    },
  },
} as const satisfies Readonly<Record<string, { readonly name: string; readonly rules: Json }>>

/** For the pods with these labels, or all of the namespace. */
export function creatingReady(which: keyof typeof ready): NativeFunction {
  const { name, rules } = ready[which]
  return clusterFunction({ label_selectors: chosenLabels, ns }, async ({ label_selectors: labels, ns: namespace }, cluster) => {
    const podSelector = labels === null ? {} : { matchLabels: labels }
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name },
      spec: { podSelector, ...rules },
    }
    await create(cluster, { resource, ns: namespace }, policy)
    return null
  })
}

export function removingReady(which: keyof typeof ready): NativeFunction {
  return clusterFunction({ ns }, async ({ ns: namespace }, cluster) => {
    await remove(cluster, { resource, ns: namespace }, ready[which].name)
    return null
  })
}
