import { z } from 'zod'
import { clusterName, text } from '../../catalog/index.ts'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { Finding } from '../contract.ts'
import { outputReference } from '../param-types.ts'
import type { Cluster, Verb } from './cluster.ts'
import { knownApiVersion, kubectlKind } from './kinds.ts'
import { kubeName, nameOf, type ObjectRef } from './object.ts'

/** The parameters by which a step names any object. */
export const objectParams = {
  cluster: clusterName.describe('The cluster, by its name in the catalog.'),
  namespace: kubeName.describe('The namespace that it is in. None for what is in none, such as nodes.').optional(),
  kind: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9]*$/)
    .meta({ expected: 'a kind, such as Deployment', description: 'Its kind, as in a manifest.', examples: ['Deployment'] }),
  apiVersion: text
    .describe('Its API version, as in a manifest. Kinds of Kubernetes itself that plans name need none.')
    .optional(),
  name: kubeName.describe('Its name.'),
} as const

export interface NamedObject {
  readonly cluster: string
  readonly namespace?: string | undefined
  readonly kind: string
  readonly apiVersion?: string | undefined
  readonly name: string
}

export const hasApiVersion = ({ kind, apiVersion }: Pick<NamedObject, 'kind' | 'apiVersion'>): boolean =>
  (apiVersion ?? knownApiVersion(kind)) !== undefined

export const apiVersionNeeded = { message: "this kind needs its 'apiVersion'" }

export function objectRef({ kind, apiVersion = knownApiVersion(kind) ?? 'v1', name, namespace }: NamedObject): ObjectRef {
  return { apiVersion, kind, name, namespace }
}

/** Whether an output of an earlier step is in its name: then nothing can be asked of it yet. */
export function isForeseeable({ name, namespace = '' }: NamedObject): boolean {
  return !outputReference.test(name) && !outputReference.test(namespace)
}

/** Throws `usage` unless it names a namespace exactly when its kind lives in one. */
export async function assertPlace(cluster: Cluster, ref: ObjectRef): Promise<void> {
  const isNamespaced = await cluster.isNamespaced(ref)
  if (isNamespaced === (ref.namespace !== undefined)) return
  throw new HoldfastError('usage', {
    message: isNamespaced ? `${nameOf(ref)} needs a namespace` : `a ${ref.kind} is in no namespace`,
    hint: isNamespaced ? "add 'namespace'" : "leave 'namespace' out",
  })
}

/** What is wrong with the name, and what is not allowed. A kind that is not known may be defined by an earlier step. */
export async function objectFindings(cluster: Cluster, ref: ObjectRef, verbs: readonly Verb[]): Promise<Finding[]> {
  try {
    await assertPlace(cluster, ref)
    return await cluster.forbidden(ref, verbs)
  } catch (error) {
    if (!isHoldfastError(error, 'not-found') || error.details.unknownKind !== true) throw error
    return [{ severity: 'warning', code: 'unknown-kind', message: error.message, hint: 'a step before it must define it' }]
  }
}

/** `deployment/web`, for kubectl. */
export function kubectlName(ref: ObjectRef): string {
  return `${kubectlKind(ref.apiVersion, ref.kind)}/${ref.name}`
}
