import { z } from 'zod'
import { isHoldfastError } from '../../kernel/index.ts'
import type { Finding } from '../contract.ts'
import type { Cluster } from './cluster.ts'
import { nameOf, refOf, type ObjectRef } from './object.ts'

const shape = z.looseObject({
  scaleTargetRef: z.looseObject({ kind: z.string(), name: z.string() }),
  minReplicas: z.number().default(1),
  maxReplicas: z.number(),
})

/** An autoscaler (autoscaling/v2) sets the number again, except where it is 0. Whether there is one is not everybody's to see. */
export async function autoscalerFindings(cluster: Cluster, ref: ObjectRef, replicas: number): Promise<Finding[]> {
  if (replicas === 0) return []
  const kind = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', namespace: ref.namespace }
  const autoscalers = await cluster.list(kind).catch((error: unknown) => {
    if (isHoldfastError(error, 'permission-denied') || isHoldfastError(error, 'not-found')) return []
    throw error
  })
  return autoscalers.flatMap((autoscaler): Finding[] => {
    const { scaleTargetRef: target, minReplicas, maxReplicas } = shape.parse(autoscaler.spec)
    if (target.kind !== ref.kind || target.name !== ref.name) return []
    const message = `${nameOf(refOf(autoscaler))} keeps ${nameOf(ref)} between ${minReplicas} and ${maxReplicas} replicas: when it changes them while the step waits, the step fails`
    return [{ severity: 'warning', code: 'autoscaled', message, hint: 'delete the autoscaler before, or leave scaling to it' }]
  })
}
