import { z } from 'zod'
import { apiPath, readObject } from '../../clusters/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import type { FaultContext } from '../contract.ts'
import { annotateBack, type Change } from './annotated.ts'
import { clusterTrace, findCluster, kubectl, openCluster, requireNoneSpared } from './api.ts'

/** A node to which nothing new shall come. */
export const cordonTrace = z.strictObject({ cluster: clusterTrace, node: z.string(), uid: z.string(), hadMember: z.boolean() })
export type CordonTrace = z.infer<typeof cordonTrace>

/** Throws `fault-refused` when there is no such node, and for one that is cordoned already. */
export async function planCordon(
  { cluster: name, node }: { readonly cluster: string; readonly node: string },
  context: FaultContext,
  signal: AbortSignal,
): Promise<CordonTrace> {
  const cluster = await findCluster(name, context, signal)
  await using connection = await openCluster(cluster, context, signal)
  const found = await readObject(connection, pathOf(node), `Node ${node}`)
  if (found === undefined) throw new HoldfastError('fault-refused', { message: `${name} has no Node ${node}` })
  requireNoneSpared([found], 'Node', context)
  const before = found.spec?.unschedulable
  if (before === true) throw new HoldfastError('fault-refused', { message: `Node ${node} is cordoned already` })
  return { cluster, node, uid: found.metadata.uid, hadMember: before !== undefined }
}

export function cordonOf({ node, uid, hadMember }: CordonTrace): Change {
  const before = hadMember ? false : null
  return { path: pathOf(node), what: `Node ${node}`, uid, pointer: '/spec/unschedulable', value: true, before }
}

export function uncordonByHand({ cluster, node }: CordonTrace): string[] {
  return [kubectl(cluster, 'uncordon', node), annotateBack(cluster, `node/${node}`)]
}

function pathOf(node: string): string {
  return apiPath('/api/v1', 'nodes', node)
}
