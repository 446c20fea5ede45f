import { blocker, isHoldfastError } from '../../kernel/index.ts'
import type { Finding } from '../contract.ts'
import { conflictsOf, foresee, isForbiddenSecret, secretWouldChange } from './applied.ts'
import type { Cluster } from './cluster.ts'
import { nameOf, refOf, type KubeObject } from './object.ts'

/** What stands in the way of one object of a manifest, by the cluster's word: its kind, permissions, and a dry run. */
export async function applyFindings(
  cluster: Cluster,
  object: KubeObject,
  manifest: readonly KubeObject[],
  force: boolean,
): Promise<Finding[]> {
  const ref = refOf(object)
  try {
    const forbidden = await cluster.forbidden(ref, ['get', 'patch'])
    if (forbidden.length > 0) return forbidden
    const isNew = (await cluster.read(ref)) === undefined
    const more = isNew
      ? [...(await cluster.forbidden(ref, ['create'])), ...(await cluster.forbidden(ref, ['delete'], 'warning'))]
      : []
    if (more.some(({ severity }) => severity === 'blocker')) return more
    const { entry } = await foresee(cluster, object, force)
    if (!isForbiddenSecret(entry)) return more
    const { message, hint } = secretWouldChange(ref)
    return [...more, blocker('secret-would-change', message, hint)]
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const { unknownKind, status } = error.details
    // What only an earlier object of the same manifest makes known.
    const waitsForKind = unknownKind === true && manifest.some((other) => defines(other, object))
    const waitsForNamespace =
      status === 404 && manifest.some((other) => other.kind === 'Namespace' && other.metadata.name === ref.namespace)
    if (waitsForKind || waitsForNamespace) return []
    if (status === 409) {
      const message = `${nameOf(ref)} has fields that others own: ${conflictsOf(error).join('; ')}`
      return [blocker('field-conflict', message, 'leave them out, or take them over with `force: true`')]
    }
    // A member of the wrong type is answered like a failure of the server.
    const isWrongType = status === 500 && error.message.includes('typed patch object')
    if (status === 404 || status === 422 || status === 400 || isWrongType)
      return [blocker('not-valid', error.message, error.hint)]
    throw error
  }
}

/** Whether it is the definition of the other's kind. */
function defines({ kind, spec }: KubeObject, other: KubeObject): boolean {
  if (kind !== 'CustomResourceDefinition') return false
  const { group, names } = (spec ?? {}) as { readonly group?: string; readonly names?: { readonly kind?: string } }
  return names?.kind === other.kind && other.apiVersion.startsWith(`${group}/`)
}
