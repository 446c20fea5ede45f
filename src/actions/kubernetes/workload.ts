import { z } from 'zod'
import { HoldfastError } from '../../kernel/index.ts'
import { kubeName, nameOf, refOf, type KubeObject, type ObjectRef } from './object.ts'

/** The parameters by which a step names what runs pods. */
export const workloadParams = {
  namespace: kubeName.describe('The namespace that it is in.'),
  deployment: kubeName.describe('The name of a Deployment.').optional(),
  statefulSet: kubeName.describe('The name of a StatefulSet.').optional(),
} as const

export interface WorkloadName {
  readonly namespace: string
  readonly deployment?: string | undefined
  readonly statefulSet?: string | undefined
}

export const isOneWorkload = ({ deployment, statefulSet }: Omit<WorkloadName, 'namespace'>): boolean =>
  (deployment === undefined) !== (statefulSet === undefined)

export const oneWorkload = { message: "exactly one of 'deployment' and 'statefulSet'" }

export function workloadRef({ namespace, deployment, statefulSet }: WorkloadName): ObjectRef {
  const [kind, name] = deployment === undefined ? ['StatefulSet', statefulSet ?? ''] : ['Deployment', deployment]
  return { apiVersion: 'apps/v1', kind, name, namespace }
}

const count = z.number().default(0)
const container = z.looseObject({ name: z.string(), image: z.string().optional() })
const shape = z.looseObject({
  metadata: z.looseObject({
    uid: z.string(),
    generation: z.number(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.looseObject({
    replicas: z.number().default(1),
    paused: z.boolean().default(false),
    selector: z.looseObject({
      matchLabels: z.record(z.string(), z.string()).default({}),
      matchExpressions: z
        .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) }))
        .default([]),
    }),
    updateStrategy: z.looseObject({ type: z.string().default('RollingUpdate') }).optional(),
    template: z.looseObject({
      metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).optional() }).optional(),
      spec: z.looseObject({ containers: z.array(container), initContainers: z.array(container).default([]) }),
    }),
  }),
  status: z
    .looseObject({
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      availableReplicas: count,
      currentRevision: z.string().optional(),
      updateRevision: z.string().optional(),
      conditions: z
        .array(
          z.looseObject({ type: z.string(), status: z.string(), reason: z.string().optional(), message: z.string().optional() }),
        )
        .default([]),
    })
    .prefault({}),
})

/** A Deployment or a StatefulSet (apps/v1), and how far its controller is. */
export type Workload = z.infer<typeof shape> & { readonly ref: ObjectRef }

export function workloadOf(object: KubeObject | undefined, ref: ObjectRef): Workload {
  if (object === undefined)
    throw new HoldfastError('not-found', { message: `there is no ${nameOf(ref)}`, hint: 'check its name, and the namespace' })
  return { ...shape.parse(object), ref: refOf(object) }
}

export function countPods(count: number, which = ''): string {
  return count === 1 ? `1 ${which}pod` : `${count} ${which}pods`
}

/** What is still to come until every wanted pod is of the newest template and available; undefined for nothing. As `kubectl rollout status` judges. */
export function lacksRollout({ ref, metadata, spec, status }: Workload): string | undefined {
  const name = nameOf(ref)
  if (status.observedGeneration < metadata.generation) return `the controller has not yet seen the change of ${name}`
  if (status.updatedReplicas < spec.replicas) return `${status.updatedReplicas} of ${countPods(spec.replicas)} of ${name} new`
  const old = status.replicas - status.updatedReplicas
  if (old > 0) return `${countPods(old, 'old ')} of ${name} still there`
  if (status.replicas > spec.replicas) return `${countPods(status.replicas)} of ${name} there, ${spec.replicas} wanted`
  if (status.availableReplicas < spec.replicas)
    return `${status.availableReplicas} of ${countPods(spec.replicas)} of ${name} available`
  if (ref.kind === 'StatefulSet' && status.updateRevision !== status.currentRevision)
    return `the pods of ${name} are not yet all of its new revision`
  return undefined
}

/** What is still to come until there are as many pods as wanted, all available, of whichever template; undefined for nothing. */
export function lacksScale({ ref, metadata, spec, status }: Workload): string | undefined {
  const name = nameOf(ref)
  if (status.observedGeneration < metadata.generation) return `the controller has not yet seen the change of ${name}`
  if (status.replicas !== spec.replicas) return `${countPods(status.replicas)} of ${name} there, ${spec.replicas} wanted`
  if (status.availableReplicas < spec.replicas)
    return `${status.availableReplicas} of ${countPods(spec.replicas)} of ${name} available`
  return undefined
}

/** Why a rollout will not get on by itself: the deadline that a Deployment sets for it has passed. */
export function stalled({ ref, status }: Workload): string | undefined {
  const progressing = status.conditions.find(({ type }) => type === 'Progressing')
  if (ref.kind !== 'Deployment' || progressing?.reason !== 'ProgressDeadlineExceeded') return undefined
  return progressing.message ?? 'its progress deadline has passed'
}

/** The selector in the words of a query (`app=web,tier in (a,b)`). */
export function selectorText({ spec: { selector } }: Workload): string {
  const words: Readonly<Record<string, string>> = { In: 'in', NotIn: 'notin' }
  return [
    ...Object.entries(selector.matchLabels).map(([key, value]) => `${key}=${value}`),
    ...selector.matchExpressions.map(({ key, operator, values }) => {
      if (operator === 'Exists') return key
      return operator === 'DoesNotExist' ? `!${key}` : `${key} ${words[operator] ?? operator} (${values.join(',')})`
    }),
  ].join(',')
}
