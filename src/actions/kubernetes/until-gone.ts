import type { ActionContext } from '../contract.ts'
import type { Cluster } from './cluster.ts'
import { nameOf, type ObjectRef } from './object.ts'
import { waitUntil } from './wait-until.ts'

/** Waits until the object of that uid is no more; one that was made anew under its name is another one. */
export async function untilGone(
  cluster: Cluster,
  ref: ObjectRef,
  uid: string,
  context: ActionContext,
  signal: AbortSignal,
): Promise<void> {
  await waitUntil(context, signal, async () => {
    const found = await cluster.read(ref)
    if (found?.metadata.uid !== uid) return { found: true }
    const finalizers = Array.isArray(found.metadata.finalizers) ? found.metadata.finalizers : []
    const held = finalizers.length === 0 ? '' : `: it is held by ${finalizers.join(', ')}`
    return { lacks: `${nameOf(ref)} is being deleted${held}` }
  })
}
