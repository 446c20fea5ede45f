import { isSame } from './json-patch.ts'
import type { KubeObject } from './object.ts'

/** The annotation by which the controller of a Deployment counts: it counts anew. */
const revision = 'deployment.kubernetes.io/revision'

/** The object as somebody would have to write it to have it created like this: without what the cluster itself adds. */
export function asCreated(object: KubeObject): KubeObject {
  const { status: _status, metadata, ...rest } = object
  const { name, namespace, labels, annotations, finalizers, ownerReferences } = metadata
  const { [revision]: _revision, ...others } = (annotations ?? {}) as Readonly<Record<string, unknown>>
  const parts = {
    namespace,
    labels,
    annotations: Object.keys(others).length === 0 ? undefined : others,
    finalizers,
    ownerReferences,
  }
  const kept = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined))
  return { ...rest, metadata: { name, ...kept } }
}

/** Whether an object is what creating `written` gives. */
export function isCreatedAs(object: KubeObject, written: KubeObject): boolean {
  return isSame(asCreated(object), asCreated(written))
}
