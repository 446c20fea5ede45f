import type { Connection } from '../../clusters/index.ts'
import type { Json } from '../../kernel/index.ts'
import { absent, partly, present, type Sight } from '../contract.ts'
import { isMissing, readObject, type KubeObject } from './api.ts'

/** Chaos Mesh’s API, as its custom resource definitions have it (chaos-mesh.org, Define chaos experiments). */
export const apiVersion = 'chaos-mesh.org/v1alpha1'
const root = `/apis/${apiVersion}`

/** Its own helpers for each pod, which are not made by people. */
const internal: ReadonlySet<string> = new Set(['PodHttpChaos', 'PodIOChaos', 'PodNetworkChaos'])

/** What is done once and not taken back, and what may be so outside of the cluster. */
const onceOnly: ReadonlySet<string> = new Set(['pod-kill', 'container-kill', 'ec2-restart', 'node-reset', 'vm-restart'])

/** The kinds of faults that are installed, with their names in paths; undefined where Chaos Mesh is not. */
export async function installedKinds(connection: Connection): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const { resources } = (await connection.send({
      method: 'GET',
      path: root,
      what: `list kinds of ${apiVersion}`,
    })) as unknown as {
      resources: readonly { readonly kind: string; readonly name: string; readonly namespaced: boolean }[]
    }
    const usable = resources.filter(({ kind, name }) => kind.endsWith('Chaos') && !internal.has(kind) && !name.includes('/'))
    return new Map(usable.map(({ kind, name }) => [kind, name]))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

export function pathOf(namespace: string, plural: string, name?: string): string {
  const all = `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`
  return name === undefined ? all : `${all}/${name}`
}

/** Why no end would take it back; undefined where Chaos Mesh does. */
export function onceOnlyProblem(kind: string, spec: Readonly<Record<string, Json>>): string | undefined {
  if (kind === 'PhysicalMachineChaos') return 'what it does to machines outside of the cluster may have no end'
  if (typeof spec.action !== 'string' || !onceOnly.has(spec.action)) return undefined
  return `${spec.action} is done once, and nothing takes it back`
}

type Spec = Readonly<Record<string, Json>>

/**
 * With the labels that are not to be hit as conditions of every selector, and an end of its own in so many milliseconds, unless it has one. Undefined
 * when pods are named in it one by one: then Chaos Mesh looks at no label.
 */
export function limited(spec: Spec, spare: readonly (readonly [string, string])[], limitMs: number): Spec | undefined {
  const sparing = (within: Spec): Spec | undefined => {
    const { selector } = within as { readonly selector?: Spec }
    if (selector === undefined || spare.length === 0) return within
    if (Object.keys((selector.pods as Spec | undefined) ?? {}).length > 0) return undefined
    const added = spare.map(([key, value]) => ({ key, operator: 'NotIn', values: [value] }))
    const own = (selector.expressionSelectors as Json[] | undefined) ?? []
    return { ...within, selector: { ...selector, expressionSelectors: [...own, ...added] } }
  }
  const target = typeof spec.target === 'object' && spec.target !== null ? (spec.target as Spec) : undefined
  const [here, there] = [sparing(spec), target === undefined ? {} : sparing(target)]
  if (here === undefined || there === undefined) return undefined
  const duration = `${Math.max(1, Math.ceil(limitMs / 1000))}s`
  return { duration, ...here, ...(target === undefined ? {} : { target: there }) }
}

interface ChaosObject extends Omit<KubeObject, 'status'> {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** By the conditions that Chaos Mesh keeps of it. Deleted, it is there until Chaos Mesh has taken everything back. */
export async function lookAtChaos(
  connection: Connection,
  path: string,
  what: string,
): Promise<Sight & { readonly selects?: boolean }> {
  const found = (await readObject(connection, path, what)) as ChaosObject | undefined
  if (found === undefined) return absent
  if (found.metadata.deletionTimestamp !== undefined)
    return partly(`${what} is deleted, and Chaos Mesh has not taken everything back yet`)
  const is = (type: string) => found.status?.conditions?.find((condition) => condition.type === type)?.status === 'True'
  if (is('AllInjected')) return present
  if (is('Paused')) return partly(`somebody has paused ${what}`)
  const isLooked = found.status?.conditions !== undefined
  if (!isLooked) return partly(`Chaos Mesh has not looked at ${what} yet`)
  if (is('Selected')) return partly(is('AllRecovered') ? `${what} is over by itself` : `not all that ${what} selects is hit yet`)
  return { ...partly(`${what} selects nothing`), selects: false }
}
