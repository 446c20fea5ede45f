import { z } from 'zod'
import { text } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import { defineAction } from './define-action.ts'
import { identityFindings, openCluster } from './kubernetes/cluster.ts'
import { conditionOf, lacksCondition } from './kubernetes/condition.ts'
import { kubectlFor } from './kubernetes/kubectl.ts'
import {
  apiVersionNeeded,
  assertPlace,
  hasApiVersion,
  isForeseeable,
  kubectlName,
  objectFindings,
  objectParams,
  objectRef,
} from './kubernetes/object-params.ts'
import { nameOf, type KubeObject, type ObjectRef } from './kubernetes/object.ts'
import { waitUntil } from './kubernetes/wait-until.ts'
import { lacksScale, workloadOf } from './kubernetes/workload.ts'

const params = z
  .strictObject({
    ...objectParams,
    until: z
      .union([
        z.enum(['available', 'deleted']),
        z.strictObject({
          condition: text.describe('The type of a condition, such as Ready or Complete.'),
          status: z.enum(['True', 'False', 'Unknown']).describe('What it must be.').default('True'),
        }),
      ])
      .meta({
        expected: 'available, deleted, or { condition: TYPE }',
        description:
          'available: every wanted pod of a Deployment or a StatefulSet is, and at least one is wanted. deleted: it does not exist. condition: a condition of its status.',
        examples: ['available', { condition: 'Ready' }],
      }),
  })
  .refine(hasApiVersion, apiVersionNeeded)
  .refine(({ kind, until }) => until !== 'available' || kind === 'Deployment' || kind === 'StatefulSet', {
    message: 'only a Deployment or a StatefulSet can be waited for to be available: for others, name a condition',
  })

type Params = z.infer<typeof params>

type Seen = { readonly found: { readonly uid: string | null; readonly state: string } } | { readonly lacks: string }

/** Waits until something on a cluster is as it should be. */
export const kubernetesWait = defineAction<Params>({
  kind: 'kubernetes.wait',
  description:
    'Waits until an object is available, has a condition, or is deleted, at most the step’s time; the error then says how it stood. An object that is not there yet is waited for, too. A Deployment or StatefulSet of which no pod is wanted is never available. What a condition says of an older generation of the object does not count. Outputs: `uid`, `state`.',
  example: { cluster: 'dr', namespace: 'shop', kind: 'Deployment', name: 'web', until: 'available' },
  effect: 'read-only',
  params,

  async preflight(p, context, signal) {
    if (!isForeseeable(p)) return []
    await using cluster = await openCluster(p.cluster, context, signal)
    return [...(await identityFindings(cluster)), ...(await objectFindings(cluster, objectRef(p), ['get']))]
  },

  async run(p, context, { signal }) {
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const ref = objectRef(p)
    await assertPlace(cluster, ref)
    return await waitUntil(context, signal, async () => judge(p, ref, await cluster.read(ref)))
  },

  reach: () => 'outside',
  manual: (p, catalog) => {
    const { before, line } = kubectlFor(p.cluster, catalog)
    const name = kubectlName(objectRef(p))
    const waitFor = (what: string) => line(['wait', `--for=${what}`, name, '--timeout=10m'], p.namespace)
    if (p.until === 'deleted') return [...before, waitFor('delete')]
    if (p.until !== 'available') return [...before, waitFor(`condition=${p.until.condition}=${p.until.status}`)]
    return [...before, waitFor('jsonpath={.status.availableReplicas}'), line(['rollout', 'status', name], p.namespace)]
  },
})

function judge({ until }: Params, ref: ObjectRef, object: KubeObject | undefined): Seen {
  const name = nameOf(ref)
  const found = (state: string): Seen => ({ found: { uid: object?.metadata.uid ?? null, state } })
  if (until === 'deleted') {
    if (object === undefined) return found('deleted')
    return { lacks: typeof object.metadata.deletionTimestamp === 'string' ? `${name} is being deleted` : `${name} is there` }
  }
  if (object === undefined) return { lacks: `there is no ${name}` }
  if (until !== 'available') {
    const condition = conditionOf(object, until.condition)
    const lacks = lacksCondition(object, ref, until)
    return lacks === undefined
      ? found(`${until.condition}=${until.status}${condition?.reason === undefined ? '' : `: ${condition.reason}`}`)
      : { lacks }
  }
  const workload = workloadOf(object, ref)
  if (workload.spec.replicas === 0) {
    throw new HoldfastError('command-failed', {
      message: `no pod of ${name} is wanted: it cannot become available`,
      hint: 'scale it first (`kubernetes.scale`)',
    })
  }
  const lacks = lacksScale(workload)
  return lacks === undefined ? found(`${workload.status.availableReplicas} available`) : { lacks }
}
