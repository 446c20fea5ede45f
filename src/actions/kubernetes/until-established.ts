import { z } from 'zod'
import { isHoldfastError } from '../../kernel/index.ts'
import type { ActionContext } from '../contract.ts'
import type { Cluster } from './cluster.ts'
import { lacksCondition } from './condition.ts'
import { nameOf, type KubeObject, type ObjectRef } from './object.ts'
import { waitUntil } from './wait-until.ts'

/** Objects of a kind are refused until its definition has been taken in, and for a moment after it says so. */
export async function untilEstablished(
  cluster: Cluster,
  ref: ObjectRef,
  context: ActionContext,
  signal: AbortSignal,
): Promise<void> {
  const wanted = { condition: 'Established', status: 'True' }
  await waitUntil(context, signal, async () => {
    const object = await cluster.read(ref)
    const lacks = object === undefined ? `there is no ${nameOf(ref)}` : lacksCondition(object, ref, wanted)
    if (object === undefined || lacks !== undefined) return { lacks: lacks ?? `there is no ${nameOf(ref)}` }
    for (const kind of definedBy(object))
      if (!(await isServed(cluster, kind))) return { lacks: `${kind.kind} of ${kind.apiVersion} is not served yet` }
    return { found: true }
  })
}

async function isServed(cluster: Cluster, kind: Pick<ObjectRef, 'apiVersion' | 'kind'>): Promise<boolean> {
  try {
    await cluster.list(kind)
  } catch (error) {
    // Who may apply objects need not be allowed to list them.
    if (isHoldfastError(error, 'permission-denied')) return true
    if (!isHoldfastError(error, 'not-found')) throw error
    return false
  }
  return true
}

const definition = z.object({
  group: z.string(),
  names: z.object({ kind: z.string() }),
  versions: z.array(z.object({ name: z.string(), served: z.boolean() })),
})

function definedBy({ spec }: KubeObject): Pick<ObjectRef, 'apiVersion' | 'kind'>[] {
  const { group, names, versions } = definition.parse(spec)
  return versions.filter(({ served }) => served).map(({ name }) => ({ apiVersion: `${group}/${name}`, kind: names.kind }))
}
