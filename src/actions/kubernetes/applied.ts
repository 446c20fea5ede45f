import { z } from 'zod'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { ActionContext } from '../contract.ts'
import { change, changedMeanwhile, notedChange, standing, type Standing } from './change.ts'
import type { Cluster } from './cluster.ts'
import { differences, isSame, reversed, type Change } from './json-patch.ts'
import { fieldManager, nameOf, refOf, type KubeObject, type ObjectRef } from './object.ts'
import { untilGone } from './until-gone.ts'

/** What applying one object does, or did: all that its undo needs. */
export const appliedObject = z.strictObject({
  ref: z.strictObject({ apiVersion: z.string(), kind: z.string(), name: z.string(), namespace: z.string().optional() }),
  /** It was not there before. */
  created: z.boolean(),
  /** Null: not created yet, or the answer got lost. */
  uid: z.string().nullable(),
  changes: z.array(notedChange),
  /** Who owned which fields before. */
  managedFields: z.array(z.unknown()),
})

export type AppliedObject = z.infer<typeof appliedObject>

/** Others keep things in these by the time of an undo. */
const kept: ReadonlySet<string> = new Set(['Namespace', 'CustomResourceDefinition', 'PersistentVolume', 'PersistentVolumeClaim'])

/** What would come of it now, by the cluster's own dry run; and the object to apply, which is refused when anything changes until then. */
export async function foresee(
  cluster: Cluster,
  object: KubeObject,
  force: boolean,
): Promise<{ readonly entry: AppliedObject; readonly object: KubeObject; readonly before: KubeObject | undefined }> {
  const ref = refOf(object)
  const before = await cluster.read(ref)
  const version = before?.metadata.resourceVersion
  const locked = { ...object, metadata: { ...object.metadata, ...(version === undefined ? {} : { resourceVersion: version }) } }
  const after = await cluster.apply(locked, ref, { dryRun: true, force })
  return { entry: entryOf(ref, before, after, before?.metadata.uid ?? null), object: locked, before }
}

/**
 * Applies one object. `note` gets what it does, before it does it and after, and nothing when the cluster has refused it. When somebody else changes
 * the object meanwhile, that is seen, and it looks again.
 */
export async function applyObject(
  cluster: Cluster,
  object: KubeObject,
  force: boolean,
  note: (entry: AppliedObject | undefined) => Promise<void>,
): Promise<AppliedObject> {
  for (let attempt = 1; ; attempt++) {
    try {
      const foreseen = await foresee(cluster, object, force)
      if (isForbiddenSecret(foreseen.entry)) throw secretWouldChange(foreseen.entry.ref)
      await note(foreseen.entry)
      const after = await cluster.apply(foreseen.object, refOf(object), { dryRun: false, force })
      const entry = entryOf(refOf(object), foreseen.before, after, after.metadata.uid ?? null)
      await note(entry)
      return entry
    } catch (error) {
      // Refused, nothing of it was done: what others have made there by then is none of this step's.
      if (isHoldfastError(error) && error.details.answered === true) await note(undefined)
      if (attempt === 10 || !isOvertaken(error)) throw error
    }
  }
}

/** How an object stands to what was noted of it; another one of its name is `otherwise`. */
export async function standingOf(cluster: Cluster, { ref, created, uid, changes }: AppliedObject): Promise<Standing> {
  const found = await cluster.read(ref)
  if (!created) {
    return found?.metadata.uid === uid ? standing(found, changes) : 'otherwise'
  }
  if (found === undefined) return 'as-before'
  // Created, and the answer got lost: it bears our mark.
  const isIt = uid === null ? isOurs(found) : found.metadata.uid === uid
  return isIt ? 'as-told' : 'otherwise'
}

/** Puts back what was there, and who owned it; or deletes what was created, unless others may keep things in it. */
export async function undoObject(
  cluster: Cluster,
  entry: AppliedObject,
  context: ActionContext,
  signal: AbortSignal,
): Promise<void> {
  const { ref, created, changes, managedFields } = entry
  const stands = await standingOf(cluster, entry)
  if (stands === 'otherwise') throw changedMeanwhile(ref)
  if (created) {
    const found = await cluster.read(ref)
    if (found?.metadata.uid === undefined || kept.has(ref.kind)) return
    await cluster.delete(ref, found.metadata.uid, 'Foreground')
    await untilGone(cluster, ref, found.metadata.uid, context, signal)
    return
  }
  const uid = entry.uid ?? ''
  const restored =
    stands === 'as-told' && changes.length > 0 ? await change(cluster, { ref, uid }, reversed(changes)) : await cluster.read(ref)
  if (isSame(restored?.metadata.managedFields, managedFields) || managedFields.length === 0) return
  await cluster.patch(ref, [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'replace', path: '/metadata/managedFields', value: managedFields },
  ])
}

/** Its former data would have to be written down, and secrets are not. */
export function isForbiddenSecret({ ref, created, changes }: AppliedObject): boolean {
  return ref.kind === 'Secret' && ref.apiVersion === 'v1' && !created && changes.length > 0
}

export function secretWouldChange(ref: ObjectRef): HoldfastError {
  return new HoldfastError('usage', {
    message: `${nameOf(ref)} is there already, and would be changed: what it held could not be put back, for secrets are not written down`,
    hint: 'apply it by a `shell` step, or under another name',
  })
}

function entryOf(ref: ObjectRef, before: KubeObject | undefined, after: KubeObject, uid: string | null): AppliedObject {
  const { namespace, ...rest } = ref
  const changes: Change[] = before === undefined ? [] : differences(written(before), written(after))
  return {
    ref: { ...rest, ...(namespace === undefined ? {} : { namespace }) },
    created: before === undefined,
    uid,
    changes,
    managedFields: before?.metadata.managedFields ?? [],
  }
}

/** What people write of an object, without what the cluster adds to it. */
function written({ status: _status, metadata, ...rest }: KubeObject): unknown {
  const { labels, annotations, finalizers, ownerReferences } = metadata
  return { ...rest, metadata: { labels, annotations, finalizers, ownerReferences } }
}

function isOurs({ metadata }: KubeObject): boolean {
  return metadata.managedFields?.some(({ manager, operation }) => manager === fieldManager && operation === 'Apply') === true
}

/** Somebody else was quicker: not a conflict over who owns a field. */
function isOvertaken(error: unknown): boolean {
  if (!isHoldfastError(error) || error.details.status !== 409) return false
  return conflictsOf(error).length === 0
}

/** The fields that others own, in the cluster's words. */
export function conflictsOf(error: HoldfastError): string[] {
  const { causes } = z
    .looseObject({
      causes: z
        .array(z.looseObject({ reason: z.string().optional(), message: z.string().optional(), field: z.string().optional() }))
        .default([]),
    })
    .parse(error.details)
  return causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ message = '', field = '' }) => `${field} (${message})`)
}
