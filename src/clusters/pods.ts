import { isHoldfastError, type HoldfastError } from '../kernel/index.ts'
import type { Connection } from './connection.ts'
import { isMissing, readObject, type KubeObject } from './object.ts'
import { apiPath } from './path.ts'

/** A pod as it was found: one that has its name later is another. */
export interface PodTrace {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** Those that are not being terminated and have not ended. */
export async function livingPods(
  connection: Connection,
  path: string,
  query: Readonly<Record<string, string>>,
  what: string,
): Promise<KubeObject[]> {
  const { items } = (await connection.send({ method: 'GET', path, query, what })) as unknown as { items: KubeObject[] }
  return items.filter(isLiving)
}

/** Whether it is not being terminated and has not ended. */
export function isLiving({ metadata, status }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed'
}

export function podsPath(namespace: string): string {
  return apiPath('/api/v1', 'namespaces', namespace, 'pods')
}

function podPath({ namespace, name }: PodTrace): string {
  return apiPath(podsPath(namespace), name)
}

/** What came of it that a pod was told to end; see endPod. */
export type PodEnding =
  | { readonly outcome: 'told' | 'held' | 'gone' }
  | { readonly outcome: 'unknown'; readonly error: HoldfastError }

/**
 * Tells that very pod to end. `held` when a disruption budget forbids it for now, which only an eviction asks (status 429); `gone` when it has ended by
 * itself, also when another has its name by now; `unknown` without an answer, or with one that the server failed: whether it was
 * told, a look sees.
 */
export async function endPod(
  connection: Connection,
  pod: PodTrace,
  by: 'delete' | 'evict',
  gracePeriodSeconds?: number,
): Promise<PodEnding> {
  const { namespace, name, uid } = pod
  const options = { ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }), preconditions: { uid } }
  const path = podPath(pod)
  const request =
    by === 'delete'
      ? ({ method: 'DELETE', path, body: options, what: `delete Pod ${namespace}/${name}` } as const)
      : ({
          method: 'POST',
          path: `${path}/eviction`,
          body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: options },
          what: `evict Pod ${namespace}/${name}`,
        } as const)
  try {
    await connection.send({ ...request, changes: true })
    return { outcome: 'told' }
  } catch (error) {
    if (isMissing(error)) return { outcome: 'gone' }
    if (isHoldfastError(error, 'outcome-unknown')) return { outcome: 'unknown', error }
    const status = isHoldfastError(error) ? error.details.status : undefined
    if (by === 'evict' && status === 429) return { outcome: 'held' }
    // A precondition that does not hold is a conflict, as others are.
    if (status === 409 && (await readThat(connection, pod)) === undefined) return { outcome: 'gone' }
    throw error
  }
}

/** Undefined when it is gone, whoever has its name. */
async function readThat(connection: Connection, pod: PodTrace): Promise<KubeObject | undefined> {
  const found = await readObject(connection, podPath(pod), `Pod ${pod.namespace}/${pod.name}`)
  return found?.metadata.uid === pod.uid ? found : undefined
}

/** Those of them that are still there, and not being terminated. */
export async function stillLiving(connection: Connection, pods: readonly PodTrace[]): Promise<PodTrace[]> {
  const living: PodTrace[] = []
  for (const pod of pods) {
    const found = await readThat(connection, pod)
    if (found !== undefined && found.metadata.deletionTimestamp === undefined) living.push(pod)
  }
  return living
}

/** The kind of what would start another in its place: `ReplicaSet`, `DaemonSet`. */
export function controllerOf({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.kind
}

/** The API server only shows it: the kubelet runs it from a file. */
export function isStaticPod({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined
}

/** Whether it keeps data that go with it. */
export function hasEmptyDir({ spec }: KubeObject): boolean {
  const volumes = (spec?.volumes ?? []) as readonly { readonly emptyDir?: object }[]
  return volumes.some(({ emptyDir }) => emptyDir !== undefined)
}
