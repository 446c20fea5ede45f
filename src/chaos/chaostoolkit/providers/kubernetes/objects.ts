import { extname } from 'node:path'
import { apiPath, type Connection, type KubeObject } from '../../../../clusters/index.ts'
import { isHoldfastError, type Json } from '../../../../kernel/index.ts'
import { parseByName, readText } from '../../load.ts'
import { ActivityFailed } from '../../types.ts'

/** Where the API server has the kinds that the functions act on. */
const roots = {
  pods: '/api/v1',
  services: '/api/v1',
  secrets: '/api/v1',
  namespaces: '/api/v1',
  nodes: '/api/v1',
  deployments: '/apis/apps/v1',
  statefulsets: '/apis/apps/v1',
  daemonsets: '/apis/apps/v1',
  replicasets: '/apis/apps/v1',
  ingresses: '/apis/networking.k8s.io/v1',
  networkpolicies: '/apis/networking.k8s.io/v1',
} as const

export type Resource = keyof typeof roots

/** A kind, in a namespace; without one those of all, or a kind that has none. */
export interface Place {
  readonly resource: Resource
  readonly ns?: string
}

/** Null selects nothing in particular. */
export interface Selection {
  readonly name?: string | null
  readonly selector?: string | null
  readonly field?: string
}

export function pathOf({ resource, ns }: Place, ...names: readonly string[]): string {
  return apiPath(roots[resource], ...(ns === undefined ? [] : ['namespaces', ns]), resource, ...names)
}

export function queryOf({ name, selector, field }: Selection): Record<string, string> {
  const fieldSelector = name === undefined || name === null ? field : `metadata.name=${name}`
  return {
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(selector === undefined || selector === null ? {} : { labelSelector: selector }),
  }
}

/** The list as the API server gives it. */
export async function listAsIs(cluster: Connection, place: Place, selection: Selection = {}): Promise<Json> {
  return await cluster.send({ method: 'GET', path: pathOf(place), query: queryOf(selection), what: `list ${placeText(place)}` })
}

export async function list<T extends KubeObject = KubeObject>(
  cluster: Connection,
  place: Place,
  selection: Selection = {},
): Promise<readonly T[]> {
  return ((await listAsIs(cluster, place, selection)) as unknown as { readonly items: readonly T[] }).items
}

export async function create(cluster: Connection, place: Place, body: Json): Promise<void> {
  await cluster.send({ method: 'POST', path: pathOf(place), body, what: `create ${placeText(place)}`, changes: true })
}

export async function remove(cluster: Connection, place: Place, name: string): Promise<void> {
  const what = `delete ${placeText(place)} ${name}`
  await cluster.send({ method: 'DELETE', path: pathOf(place, name), body: {}, what, changes: true })
}

/** A strategic merge: members are set, and items of lists that have names are merged by them. */
export async function patch(cluster: Connection, place: Place, name: string, body: Json): Promise<void> {
  const contentType = 'application/strategic-merge-patch+json'
  const what = `patch ${placeText(place)} ${name}`
  await cluster.send({ method: 'PATCH', path: pathOf(place, name), contentType, body, what, changes: true })
}

/** Where the package makes a failure of its own of what the API server says. */
export async function orFail<T>(asked: Promise<T>): Promise<T> {
  return await asked.catch((error: unknown) => {
    throw isHoldfastError(error) ? new ActivityFailed(error.message) : error
  })
}

/** An object from a file, JSON or YAML by its name. */
export async function readManifest(path: string): Promise<Json> {
  if (!['.json', '.yml', '.yaml'].includes(extname(path))) {
    throw new ActivityFailed(`${path} is neither .json nor .yml nor .yaml`)
  }
  return parseByName(path, await readText(path))
}

function placeText({ resource, ns }: Place): string {
  return ns === undefined ? resource : `${resource} of ${ns}`
}
