import { z } from 'zod'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { Cluster } from './cluster.ts'
import { isSame, patchOf, valueAt, type Change, type PatchOperation } from './json-patch.ts'
import { nameOf, type KubeObject, type ObjectRef } from './object.ts'

/** A change in a step's note. */
export const notedChange = z.strictObject({
  path: z.string(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
}) as z.ZodType<Change>

/** How an object stands to changes of it. */
export type Standing = 'as-before' | 'as-told' | 'otherwise'

export function standing(object: unknown, changes: readonly Change[]): Standing {
  const at = (which: 'before' | 'after') => changes.every((change) => isSame(valueAt(object, change.path), change[which]))
  if (at('after')) return 'as-told'
  return at('before') ? 'as-before' : 'otherwise'
}

/** One request for all of it, which the cluster refuses when it is another object, or is not as it was. */
export async function change(
  cluster: Cluster,
  { ref, uid }: { readonly ref: ObjectRef; readonly uid: string },
  changes: readonly Change[],
  tests: readonly PatchOperation[] = [],
): Promise<KubeObject> {
  try {
    return await cluster.patch(ref, [{ op: 'test', path: '/metadata/uid', value: uid }, ...tests, ...patchOf(changes)])
  } catch (error) {
    // So a failed test is answered, and so is a change that is not valid: that one says which field.
    const causes = isHoldfastError(error) ? error.details.causes : undefined
    if (!isHoldfastError(error) || error.details.status !== 422 || (Array.isArray(causes) && causes.length > 0)) throw error
    throw changedMeanwhile(ref, error)
  }
}

/** Throws unless it is the object that the step began with, and not one that was made anew under its name. */
export function assertSameObject(ref: ObjectRef, now: { readonly uid?: string | undefined }, uid: string): void {
  if (now.uid === uid) return
  throw new HoldfastError('identity-mismatch', {
    message: `${nameOf(ref)} is another one than it was: somebody has deleted it and made it anew`,
    hint: 'find out who, and decide by hand',
  })
}

export function changedMeanwhile(ref: ObjectRef, cause?: unknown, how = ''): HoldfastError {
  return new HoldfastError('identity-mismatch', {
    message: `somebody else has changed ${nameOf(ref)} meanwhile${how}, and it is left as it is`,
    hint: 'an autoscaler, an operator or GitOps may do so: tell that one',
    cause,
  })
}
