interface WorkloadParts {
  readonly replicas?: number
  readonly image?: string
  readonly namespace?: string
}

/** Deployments, StatefulSets and others as a person would write them. */
export function deployment(name: string, parts: WorkloadParts = {}) {
  return { apiVersion: 'apps/v1', kind: 'Deployment', ...workload(name, parts) }
}

export function statefulSet(name: string, parts: WorkloadParts = {}) {
  const { metadata, spec } = workload(name, parts)
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { ...spec, serviceName: name } }
}

export function configMap(name: string, data: Readonly<Record<string, string>>, namespace = 'default') {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
}

/** Of a kind of its own, `Widget` of example.com/v1, that may say anything. */
export const widgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

function workload(name: string, { replicas = 1, image = 'example.com/web:1', namespace = 'default' }: WorkloadParts) {
  return {
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
    },
  }
}
