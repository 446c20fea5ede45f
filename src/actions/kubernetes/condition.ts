import { z } from 'zod'
import { nameOf, type KubeObject, type ObjectRef } from './object.ts'

const shape = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  observedGeneration: z.number().optional(),
})

/** A condition of an object's status (meta/v1 Condition). */
export function conditionOf(object: KubeObject, type: string): z.infer<typeof shape> | undefined {
  // Null in a status that nobody has written to yet.
  const { conditions } = z.looseObject({ conditions: z.array(shape).nullish() }).parse(object.status ?? {})
  return conditions?.find((one) => one.type === type)
}

/** Why the condition does not hold; undefined when it does. */
export function lacksCondition(
  object: KubeObject,
  ref: ObjectRef,
  { condition, status }: { readonly condition: string; readonly status: string },
): string | undefined {
  const found = conditionOf(object, condition)
  const name = nameOf(ref)
  if (found === undefined) return `${name} has no condition ${condition}`
  if (found.observedGeneration !== undefined && found.observedGeneration < (object.metadata.generation ?? 0))
    return `the condition ${condition} of ${name} is of before its last change`
  if (found.status === status) return undefined
  const why = [found.reason, found.message].filter((part) => part !== undefined && part !== '').join(': ')
  return `${condition} of ${name} is ${found.status}${why === '' ? '' : ` (${why})`}`
}
