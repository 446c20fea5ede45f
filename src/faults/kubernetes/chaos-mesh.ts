import { apiPath, isMissing, readObject, type Connection, type KubeObject } from '../../clusters/index.ts'
import { HoldfastError, type Json } from '../../kernel/index.ts'
import { absent, over, partly, present, type Sight } from '../contract.ts'
import { goDurationMs } from './go-duration.ts'

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
  return apiPath(root, 'namespaces', namespace, plural, ...(name === undefined ? [] : [name]))
}

/** Why no end would take it back, with what to do instead; undefined where Chaos Mesh does. */
export function onceOnlyProblem(
  kind: string,
  { action, methods }: Readonly<Record<string, Json>>,
): { readonly message: string; readonly hint: string } | undefined {
  if (kind === 'PhysicalMachineChaos') {
    const message = 'what it does to machines outside of the cluster may have no end'
    return { message, hint: 'run Holdfast on that machine: process.*, network.* and stress do the same there' }
  }
  if (kind === 'IOChaos' && action === 'mistake' && !onlyReads(methods)) {
    const message = 'mistake also changes what is written, which stays wrong on the disk'
    return { message, hint: 'with `methods: [read]` only what is read is changed' }
  }
  if (typeof action !== 'string' || !onceOnly.has(action)) return undefined
  return { message: `${action} is done once, and nothing takes it back`, hint: 'kubernetes.pod-kill ends pods, with an approval' }
}

/** Without methods, it is all of them. */
function onlyReads(methods: Json | undefined): boolean {
  return Array.isArray(methods) && methods.length > 0 && methods.every((method) => String(method).toLowerCase() === 'read')
}

type Spec = Readonly<Record<string, Json>>

/**
 * With the labels that are not to be hit as conditions of every selector, and an end of its own in so many milliseconds, or sooner where it has one.
 * Throws `fault-refused` when pods are named in it one by one, for then Chaos Mesh looks at no label, and for a duration that is none.
 */
export function limited(spec: Spec, spare: readonly (readonly [string, string])[], limitMs: number): Spec {
  const sparing = (within: Spec): Spec => {
    const { selector } = within as { readonly selector?: Spec }
    if (selector === undefined || spare.length === 0) return within
    if (Object.keys((selector.pods as Spec | undefined) ?? {}).length > 0) {
      const message = 'it names pods one by one, and Chaos Mesh would hit them whatever labels are excluded'
      throw new HoldfastError('fault-refused', { message, hint: 'select them by labels' })
    }
    const added = spare.map(([key, value]) => ({ key, operator: 'NotIn', values: [value] }))
    const own = (selector.expressionSelectors as Json[] | undefined) ?? []
    return { ...within, selector: { ...selector, expressionSelectors: [...own, ...added] } }
  }
  const target = typeof spec.target === 'object' && spec.target !== null ? (spec.target as Spec) : undefined
  const duration = shorter(spec.duration, limitMs)
  return { ...sparing(spec), duration, ...(target === undefined ? {} : { target: sparing(target) }) }
}

/** Its own duration, unless it would last longer than that. */
function shorter(own: Json | undefined, limitMs: number): string {
  const limit = `${Math.max(1, Math.ceil(limitMs / 1000))}s`
  if (own === undefined || own === null) return limit
  const ownMs = typeof own === 'string' ? goDurationMs(own) : undefined
  if (ownMs === undefined || ownMs <= 0) {
    const message = `${JSON.stringify(own)} is no duration after which Chaos Mesh would end it`
    throw new HoldfastError('fault-refused', {
      message,
      hint: 'write it as 90s or 1m30s, or leave it out: it ends with the fault',
    })
  }
  return ownMs < limitMs ? (own as string) : limit
}

interface ChaosObject extends Omit<KubeObject, 'status'> {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly experiment?: { readonly desiredPhase?: string }
  }
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
  if (found.status?.experiment?.desiredPhase === 'Stop' && is('AllRecovered')) return over(`the duration of ${what} is over`)
  if (is('Selected')) return partly(`not all that ${what} selects is hit yet`)
  return { ...partly(`${what} selects nothing`), selects: false }
}
