/** In which API version the kinds are that most plans name. */
const knownKinds: Readonly<Record<string, string>> = {
  Pod: 'v1',
  Service: 'v1',
  ConfigMap: 'v1',
  Secret: 'v1',
  Namespace: 'v1',
  Node: 'v1',
  ServiceAccount: 'v1',
  PersistentVolume: 'v1',
  PersistentVolumeClaim: 'v1',
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  ReplicaSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  Ingress: 'networking.k8s.io/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  PodDisruptionBudget: 'policy/v1',
}

/** Undefined: the API version must be named. */
export function knownApiVersion(kind: string): string | undefined {
  return Object.hasOwn(knownKinds, kind) ? knownKinds[kind] : undefined
}

/**
 * Kinds whose object is all there is to it, so that creating it anew brings everything back. With others data goes (claims, namespaces), or
 * what it did does not come back (pods, jobs), or nobody here knows.
 */
const recreatable: ReadonlySet<string> = new Set([
  'ConfigMap',
  'CronJob',
  'DaemonSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'Ingress',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Service',
])

export function isRecreatable({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): boolean {
  return recreatable.has(kind) && knownApiVersion(kind) === apiVersion
}

/** A kind as kubectl takes it: `deployment`, `widget.v1.example.com`. */
export function kubectlKind(apiVersion: string, kind: string): string {
  if (knownApiVersion(kind) === apiVersion) return kind.toLowerCase()
  const [version = '', group] = apiVersion.split('/').toReversed()
  return [kind.toLowerCase(), version, ...(group === undefined ? [] : [group])].join('.')
}
