import { z } from 'zod'
import { HoldfastError, isHoldfastError, type Json } from '../kernel/index.ts'
import { done, halfDone, notDone, type ActionContext } from './contract.ts'
import { defineAction } from './define-action.ts'
import { changedMeanwhile } from './kubernetes/change.ts'
import { identityFindings, openCluster, type Cluster } from './kubernetes/cluster.ts'
import { isRecreatable } from './kubernetes/kinds.ts'
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
  type NamedObject,
} from './kubernetes/object-params.ts'
import { kubeObject, nameOf, type KubeObject, type ObjectRef } from './kubernetes/object.ts'
import { asCreated, isCreatedAs } from './kubernetes/recreate.ts'
import { untilGone } from './kubernetes/until-gone.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z
  .strictObject({
    ...objectParams,
    cascade: z
      .enum(['foreground', 'background', 'orphan'])
      .describe(
        'What becomes of the objects that it owns, such as pods. foreground: they are deleted before it. background: after it, and not waited for. orphan: they stay.',
      )
      .default('foreground'),
    mayBeAbsent: z.boolean().describe('Whether it is all right when there is nothing to delete; else that fails.').default(false),
  })
  .refine(hasApiVersion, apiVersionNeeded)

type Params = z.infer<typeof params>

/** Which object it was; and what it said, where that is all there is to it. */
const note = z.strictObject({ uid: z.string(), object: kubeObject.nullable() })

const policies = { foreground: 'Foreground', background: 'Background', orphan: 'Orphan' } as const

/** Deletes an object, that one and no other of its name, and waits until it is gone. */
export const kubernetesDelete = defineAction<Params>({
  kind: 'kubernetes.delete',
  description:
    'Deletes an object, and waits until it is gone, with what it owns. Its uid is noted immediately before, and the cluster deletes that one or none: what was made anew under its name stays. Deployments, DaemonSets, CronJobs, Services, Ingresses, ConfigMaps, NetworkPolicies, HorizontalPodAutoscalers and PodDisruptionBudgets are reversible: what they said is noted, and the undo creates them anew, under another uid. Everything else is a point of no return, for data would go with it, or nobody here knows whether. Outputs: `deleted`, `uid`.',
  example: { cluster: 'dr', namespace: 'shop', kind: 'Ingress', name: 'web' },
  effect: (p) => (isReversible(p) ? 'reversible' : 'point-of-no-return'),
  params,

  async preflight(p, context, signal) {
    if (!isForeseeable(p)) return []
    await using cluster = await openCluster(p.cluster, context, signal)
    const ref = objectRef(p)
    const findings = [...(await identityFindings(cluster)), ...(await objectFindings(cluster, ref, ['get', 'delete']))]
    if (findings.some(({ code }) => code === 'permission-denied' || code === 'unknown-kind')) return findings
    if (!p.mayBeAbsent && (await cluster.read(ref)) === undefined) throw absent(ref)
    return [...findings, ...(isReversible(p) ? await cluster.forbidden(ref, ['create'], 'warning') : [])]
  },

  async probe(p, context, { signal, idempotencyKey }) {
    const noted = await readNote(context, idempotencyKey, note)
    if (noted === undefined) return notDone
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const found = await cluster.read(objectRef(p))
    if (found?.metadata.uid !== noted.uid) return done({ deleted: true, uid: noted.uid })
    return isEnding(found) ? halfDone : notDone
  },

  async run(p, context, { signal, idempotencyKey }) {
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const ref = objectRef(p)
    await assertPlace(cluster, ref)
    const earlier = await readNote(context, idempotencyKey, note)
    const found = await cluster.read(ref)
    if (earlier !== undefined && found?.metadata.uid !== earlier.uid) return { deleted: true, uid: earlier.uid }
    if (found === undefined) {
      if (p.mayBeAbsent) return { deleted: false, uid: null }
      throw absent(ref)
    }
    const uid = found.metadata.uid ?? ''
    if (earlier === undefined) {
      await writeNote(context, idempotencyKey, { uid, object: isReversible(p) ? (asCreated(found) as Json) : null })
    }
    if (!isEnding(found)) await deleteThat(cluster, ref, uid, policies[p.cascade])
    await untilGone(cluster, ref, uid, context, signal)
    return { deleted: true, uid }
  },

  canUndo: (p) => isReversible(p),

  async undo(p, _output, context, { signal, idempotencyKey }) {
    const noted = await readNote(context, idempotencyKey, note)
    if (noted === undefined || noted.object === null) return
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    await recreate(cluster, objectRef(p), { uid: noted.uid, object: noted.object }, context, signal)
  },

  reach: () => 'outside',
  manual: (p, catalog) => {
    const { before, line } = kubectlFor(p.cluster, catalog)
    const name = kubectlName(objectRef(p))
    return [
      ...before,
      `${line(['get', name, '--output=yaml'], p.namespace)} > ${fileOf(p)}   # what it says: keep this file`,
      line(['delete', name, `--cascade=${p.cascade}`, ...(p.mayBeAbsent ? ['--ignore-not-found'] : [])], p.namespace),
      line(['wait', '--for=delete', name, '--timeout=10m'], p.namespace),
    ]
  },
  manualUndo: (p, catalog) => {
    if (!isReversible(p)) return []
    const { before, line } = kubectlFor(p.cluster, catalog)
    return [...before, line(['create', `--filename=${fileOf(p)}`], p.namespace)]
  },
})

function isReversible(p: NamedObject): boolean {
  return isRecreatable(objectRef(p))
}

function isEnding({ metadata }: KubeObject): boolean {
  return typeof metadata.deletionTimestamp === 'string'
}

/** Already gone is as good; another one under its name is refused by the cluster. */
async function deleteThat(cluster: Cluster, ref: ObjectRef, uid: string, policy: string): Promise<void> {
  try {
    await cluster.delete(ref, uid, policy)
  } catch (error) {
    if (isHoldfastError(error) && error.details.status === 404) return
    if (isHoldfastError(error) && error.details.status === 409) throw changedMeanwhile(ref, error, ': it was made anew')
    throw error
  }
}

async function recreate(
  cluster: Cluster,
  ref: ObjectRef,
  { uid, object }: { readonly uid: string; readonly object: KubeObject },
  context: ActionContext,
  signal: AbortSignal,
): Promise<void> {
  const found = await cluster.read(ref)
  if (found?.metadata.uid === uid) {
    // A deletion that has begun cannot be stopped.
    if (!isEnding(found)) return
    await untilGone(cluster, ref, uid, context, signal)
  } else if (found !== undefined) {
    if (isCreatedAs(found, object)) return
    throw changedMeanwhile(ref, undefined, ': it was made anew, and says something else')
  }
  await cluster.create(object, ref)
}

function absent(ref: ObjectRef): HoldfastError {
  return new HoldfastError('not-found', {
    message: `there is no ${nameOf(ref)} to delete`,
    hint: 'check its name, and the namespace; where it may be gone already, say `mayBeAbsent: true`',
  })
}

function fileOf({ kind, name }: Params): string {
  return `${kind.toLowerCase()}-${name}.yaml`.replaceAll(/[^\w.-]/g, '_')
}
