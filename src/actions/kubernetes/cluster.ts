import type { ClusterEntry } from '../../catalog/index.ts'
import { HoldfastError, isHoldfastError, type Json } from '../../kernel/index.ts'
import type { ActionContext, Finding } from '../contract.ts'
import { apiPath, connect, type ApiRequest, type Connection } from '../../clusters/index.ts'
import type { PatchOperation } from './json-patch.ts'
import { fieldManager, kubeObject, nameOf, type KubeObject, type ObjectRef } from './object.ts'

interface ResourceType {
  /** `deployments` */
  readonly name: string
  readonly namespaced: boolean
}

export interface ApplyOptions {
  readonly dryRun: boolean
  /** Takes fields over from other managers. */
  readonly force: boolean
}

export type Verb = 'get' | 'list' | 'create' | 'patch' | 'delete'

/** One cluster of the catalog, as the user of its kubeconfig sees it. */
export class Cluster implements AsyncDisposable {
  readonly entry: ClusterEntry
  readonly #connection: Connection
  readonly #types = new Map<string, readonly (ResourceType & { readonly kind: string })[]>()

  constructor(entry: ClusterEntry, connection: Connection) {
    this.entry = entry
    this.#connection = connection
  }

  /**
   * Throws `identity-mismatch` unless it is the cluster whose id is in the catalog: before each change, for a kubeconfig can be another one by
   * now. Gives the id, or undefined where none is expected and it may not be read.
   */
  async assertIdentity(): Promise<string | undefined> {
    const { id, name } = this.entry
    const found = await this.#id()
    if (id === undefined || found === id) return found
    throw new HoldfastError('identity-mismatch', {
      message: `the kubeconfig leads to the cluster ${found ?? 'of an unknown id'} at ${this.#connection.server}, not to ${name}, which is ${id}`,
      hint: `correct clusters.${name} in the catalog: its kubeconfig and context, or its id`,
      details: { expected: id, found },
    })
  }

  async #id(): Promise<string | undefined> {
    try {
      return (await this.read({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' }))?.metadata.uid
    } catch (error) {
      if (this.entry.id === undefined && isHoldfastError(error, 'permission-denied')) return undefined
      throw error
    }
  }

  /** Undefined when there is none. Throws `not-found` when the cluster does not know the kind. */
  async read(ref: ObjectRef): Promise<KubeObject | undefined> {
    try {
      return kubeObject.parse(await this.#send('GET', ref, { verb: 'read' }))
    } catch (error) {
      if (isHoldfastError(error, 'not-found') && error.details.status === 404) return undefined
      throw error
    }
  }

  async create(object: KubeObject, ref: ObjectRef): Promise<KubeObject> {
    const request = { verb: 'create', body: object, query: { fieldManager }, changes: true, isUnnamed: true }
    return kubeObject.parse(await this.#send('POST', ref, request))
  }

  /** A JSON patch: all of it, or nothing when one of its tests fails. */
  async patch(ref: ObjectRef, operations: readonly PatchOperation[]): Promise<KubeObject> {
    const contentType = 'application/json-patch+json'
    const request = { verb: 'patch', body: operations, contentType, query: { fieldManager }, changes: true }
    return kubeObject.parse(await this.#send('PATCH', ref, request))
  }

  /** A server-side apply. With dryRun it gives what would come of it. */
  async apply(object: object, ref: ObjectRef, { dryRun, force }: ApplyOptions): Promise<KubeObject> {
    const query = { fieldManager, force: String(force), ...(dryRun ? { dryRun: 'All' } : {}) }
    const contentType = 'application/apply-patch+yaml'
    return kubeObject.parse(await this.#send('PATCH', ref, { verb: 'apply', body: object, contentType, query, changes: !dryRun }))
  }

  /** Only the object of that uid, and none that came after it. */
  async delete(ref: ObjectRef, uid: string, propagationPolicy: string, gracePeriodSeconds?: number): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid },
      propagationPolicy,
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    }
    await this.#send('DELETE', ref, { verb: 'delete', body, changes: true })
  }

  /** All objects of a kind in a namespace; with a selector (`app=web,tier in (a, b)`) only those that it takes. */
  async list(ref: Omit<ObjectRef, 'name'>, labelSelector?: string): Promise<KubeObject[]> {
    const query = labelSelector === undefined ? {} : { labelSelector }
    const answer = await this.#send('GET', { ...ref, name: '' }, { verb: 'list', query, isUnnamed: true })
    const items = (answer as { readonly items?: readonly object[] }).items ?? []
    // Items of a list do not say what they are.
    return items.map((item) => kubeObject.parse({ apiVersion: ref.apiVersion, kind: ref.kind, ...item }))
  }

  /** Which of these the user may not do, by the cluster's own word (authorization.k8s.io/v1). */
  async forbidden(ref: ObjectRef, verbs: readonly Verb[], severity: Finding['severity'] = 'blocker'): Promise<Finding[]> {
    const { name: resource, namespaced } = await this.#typeOf(ref)
    const [, group = ''] = ref.apiVersion.split('/').toReversed()
    const findings: Finding[] = []
    for (const verb of verbs) {
      const where = namespaced && ref.namespace !== undefined ? { namespace: ref.namespace } : {}
      // To make something is not asked by its name.
      const name = verb === 'create' || verb === 'list' ? {} : { name: ref.name }
      const body = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { verb, group, resource, ...where, ...name } },
      }
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
      const answer = await this.#connection.send({
        method: 'POST',
        path,
        body,
        what: `ask whether ${verb} ${resource} is allowed`,
      })
      if ((answer as { readonly status?: { readonly allowed?: boolean } }).status?.allowed === true) continue
      findings.push({
        severity,
        code: severity === 'blocker' ? 'permission-denied' : 'undo-not-permitted',
        message: `${severity === 'blocker' ? 'it' : 'the undo'} needs to ${verb} ${resource}${group === '' ? '' : `.${group}`}${ref.namespace === undefined ? '' : ` in ${ref.namespace}`}, which the cluster ${this.entry.name} does not allow`,
        hint: `give the user of the kubeconfig a role with the verb ${verb} on ${resource}`,
      })
    }
    return findings
  }

  /** Throws `not-found` when the cluster does not know the kind. */
  async isNamespaced(ref: Pick<ObjectRef, 'apiVersion' | 'kind'>): Promise<boolean> {
    return (await this.#typeOf(ref)).namespaced
  }

  async #typeOf({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): Promise<ResourceType> {
    const known = this.#types.get(apiVersion)?.find((type) => type.kind === kind)
    if (known !== undefined) return known
    // It may have been defined since.
    const types = await this.#discover(apiVersion, kind)
    this.#types.set(apiVersion, types)
    const found = types.find((type) => type.kind === kind)
    if (found !== undefined) return found
    throw unknownKind(apiVersion, kind, this.entry.name)
  }

  async #discover(apiVersion: string, kind: string): Promise<readonly (ResourceType & { readonly kind: string })[]> {
    try {
      const path = rootOf(apiVersion)
      const answer = await this.#connection.send({ method: 'GET', path, what: `look up ${apiVersion}` })
      const { resources = [] } = answer as unknown as {
        readonly resources?: readonly (ResourceType & { readonly kind: string })[]
      }
      // `deployments/scale` is of the kind Scale, and part of another.
      return resources.filter(({ name }) => !name.includes('/'))
    } catch (error) {
      if (isHoldfastError(error, 'not-found')) throw unknownKind(apiVersion, kind, this.entry.name)
      throw error
    }
  }

  async #send(
    method: ApiRequest['method'],
    ref: ObjectRef,
    {
      verb,
      isUnnamed = false,
      ...request
    }: Omit<ApiRequest, 'method' | 'path' | 'what'> & { readonly verb: string; readonly isUnnamed?: boolean },
  ): Promise<Json> {
    const { name, namespaced } = await this.#typeOf(ref)
    const parts = [...(namespaced ? ['namespaces', ref.namespace ?? 'default'] : []), name, ...(isUnnamed ? [] : [ref.name])]
    const path = apiPath(rootOf(ref.apiVersion), ...parts)
    return await this.#connection.send({ method, path, what: `${verb} ${nameOf(ref)}`, ...request })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }
}

/** The cluster of the catalog with that name; nothing has been asked of it yet. */
export async function openCluster(
  name: string,
  context: Pick<ActionContext, 'catalog' | 'resolveSecret'>,
  signal: AbortSignal,
): Promise<Cluster> {
  const entry = context.catalog.clusters[name]
  if (entry === undefined) {
    throw new HoldfastError('not-found', {
      message: `the catalog has no cluster '${name}'`,
      hint: `its clusters are: ${Object.keys(context.catalog.clusters).join(', ')}`,
    })
  }
  return new Cluster(entry, await connect(entry, context, signal))
}

/** It is the right cluster; where nobody says which is the right one, a warning. */
export async function identityFindings(cluster: Cluster): Promise<Finding[]> {
  const found = await cluster.assertIdentity()
  const { id, name } = cluster.entry
  if (id !== undefined) return []
  return [
    {
      severity: 'warning',
      code: 'cluster-not-pinned',
      message: `which cluster ${name} is, is not in the catalog: another one that its kubeconfig leads to would not be noticed`,
      hint:
        found === undefined ? `add its id to clusters.${name}` : `add \`id: ${found}\` to clusters.${name}, if that is the one`,
    },
  ]
}

function rootOf(apiVersion: string): string {
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}`
}

function unknownKind(apiVersion: string, kind: string, cluster: string): HoldfastError {
  return new HoldfastError('not-found', {
    message: `the cluster ${cluster} knows no ${kind} of ${apiVersion}`,
    hint: '`kubectl api-resources` lists what it knows; a custom resource needs its definition first',
    details: { unknownKind: true },
  })
}
