import { z } from 'zod'
import { text } from '../../catalog/index.ts'
import { outputReference } from '../param-types.ts'

/** Any object of Kubernetes, with all its members (meta/v1 ObjectMeta). */
export const kubeObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    generation: z.number().optional(),
    deletionTimestamp: z.string().nullish(),
    managedFields: z.array(z.looseObject({ manager: z.string().optional(), operation: z.string().optional() })).optional(),
  }),
})

export type KubeObject = z.infer<typeof kubeObject>

/** Which object is meant. */
export interface ObjectRef {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  /** Of an object that lives in one. */
  readonly namespace?: string | undefined
}

export function refOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): ObjectRef {
  return { apiVersion, kind, name, namespace }
}

/** `Deployment shop/web`. */
export function nameOf({ kind, name, namespace }: ObjectRef): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** A name that Kubernetes accepts for something, or an output of an earlier step. */
export const kubeName = text.refine(
  (name) => outputReference.test(name) || /^[a-zA-Z0-9]([a-zA-Z0-9.:-]{0,251}[a-zA-Z0-9])?$/.test(name),
  {
    message: 'a name is of letters, digits, dots and hyphens',
  },
)

export const fieldManager = 'holdfast'
