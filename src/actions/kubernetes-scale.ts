import { z } from 'zod'
import { clusterName } from '../catalog/index.ts'
import { done, halfDone, notDone, unknown, type ActionContext } from './contract.ts'
import { defineAction } from './define-action.ts'
import { autoscalerFindings } from './kubernetes/autoscaler.ts'
import { assertSameObject, change, changedMeanwhile } from './kubernetes/change.ts'
import { identityFindings, openCluster, type Cluster } from './kubernetes/cluster.ts'
import { kubectlFor } from './kubernetes/kubectl.ts'
import { livePods } from './kubernetes/live-pods.ts'
import { nameOf } from './kubernetes/object.ts'
import { waitUntil } from './kubernetes/wait-until.ts'
import {
  countPods,
  isOneWorkload,
  lacksScale,
  oneWorkload,
  workloadOf,
  workloadParams,
  workloadRef,
  type Workload,
} from './kubernetes/workload.ts'
import { outputReference } from './param-types.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z
  .strictObject({
    cluster: clusterName.describe('The cluster, by its name in the catalog.'),
    ...workloadParams,
    replicas: z.int().min(0).describe('How many pods there shall be.'),
    wait: z
      .boolean()
      .describe(
        'Waits until so many are available; when there are to be fewer, until the others are gone. At most the step’s time.',
      )
      .default(true),
  })
  .refine(isOneWorkload, oneWorkload)

type Params = z.infer<typeof params>

const note = z.strictObject({ uid: z.string(), before: z.int() })
type Note = z.infer<typeof note>

/** Scales a Deployment or a StatefulSet, and looks until it is so. Its undo sets back what was there, unless somebody has changed it since. */
export const kubernetesScale = defineAction<Params>({
  kind: 'kubernetes.scale',
  description:
    'Scales a Deployment or a StatefulSet, and waits until its controller has seen that and so many pods are available. With fewer than before it waits until the others are gone: pods that are being terminated count, for they can still write. How many there were is noted before. The undo sets that back and waits alike; it fails where somebody else has changed the number since. An autoscaler that does so makes the step fail too; the preflight warns of one. Outputs: `replicas`, `previous`.',
  example: { cluster: 'dr', namespace: 'shop', deployment: 'web', replicas: 3 },
  effect: 'reversible',
  params,

  async preflight(p, context, signal) {
    if (outputReference.test(workloadRef(p).name) || outputReference.test(p.namespace)) return []
    await using cluster = await openCluster(p.cluster, context, signal)
    const findings = [
      ...(await identityFindings(cluster)),
      ...(await cluster.forbidden(workloadRef(p), ['get', 'patch'])),
      ...(p.wait ? await cluster.forbidden({ ...podsOf(p), name: '' }, ['list']) : []),
    ]
    if (findings.some(({ code }) => code === 'permission-denied')) return findings
    await readWorkload(cluster, p)
    return [...findings, ...(await autoscalerFindings(cluster, workloadRef(p), p.replicas))]
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    const noted = await readNote(context, idempotencyKey, note)
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const workload = await readWorkload(cluster, p)
    const ref = nameOf(workload.ref)
    if (noted !== undefined && noted.uid !== workload.metadata.uid) return unknown(`${ref} is another one than it was`)
    if (workload.spec.replicas === p.replicas) {
      if (!p.wait || (await lacks(cluster, workload)) === undefined) return done(outcome(p, noted))
      return previous === 'none' || noted === undefined || noted.before === p.replicas ? notDone : halfDone
    }
    if (noted === undefined || workload.spec.replicas === noted.before) return notDone
    return unknown(
      `${ref} has ${workload.spec.replicas} replicas, neither ${noted.before} as before nor ${p.replicas}: somebody else changes it`,
    )
  },

  async run(p, context, { signal, idempotencyKey }) {
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const workload = await readWorkload(cluster, p)
    const { uid } = workload.metadata
    const noted = (await readNote(context, idempotencyKey, note)) ?? { uid, before: workload.spec.replicas }
    await writeNote(context, idempotencyKey, noted)
    await setReplicas(cluster, workload, noted, p.replicas)
    if (p.wait) await untilScaled(cluster, p, p.replicas, noted, context, signal)
    return outcome(p, noted)
  },

  async undo(p, _output, context, { signal, idempotencyKey }) {
    const noted = await readNote(context, idempotencyKey, note)
    if (noted === undefined) return
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const workload = await readWorkload(cluster, p)
    const { replicas } = workload.spec
    if (replicas !== noted.before && replicas !== p.replicas) throw changed(workload)
    await setReplicas(cluster, workload, noted, noted.before)
    if (p.wait) await untilScaled(cluster, p, noted.before, noted, context, signal)
  },

  reach: () => 'outside',
  manual: (p, catalog) => [
    ...kubectlFor(p.cluster, catalog).before,
    `${kubectlFor(p.cluster, catalog).line(['get', word(p), '-o', 'jsonpath={.spec.replicas}{"\\n"}'], p.namespace)}   # write it down: what undoing restores`,
    ...commands(p, String(p.replicas), catalog),
  ],
  manualUndo: (p, catalog) => [
    ...kubectlFor(p.cluster, catalog).before,
    `# only while it still has ${p.replicas} replicas`,
    ...commands(p, 'OLD_REPLICAS', catalog),
  ],
})

async function readWorkload(cluster: Cluster, p: Params): Promise<Workload> {
  return workloadOf(await cluster.read(workloadRef(p)), workloadRef(p))
}

function podsOf({ namespace }: Params) {
  return { apiVersion: 'v1', kind: 'Pod', namespace }
}

async function setReplicas(cluster: Cluster, { ref, metadata, spec }: Workload, { uid }: Note, to: number): Promise<void> {
  assertSameObject(ref, metadata, uid)
  if (spec.replicas !== to) await change(cluster, { ref, uid }, [{ path: '/spec/replicas', before: spec.replicas, after: to }])
}

async function untilScaled(
  cluster: Cluster,
  p: Params,
  replicas: number,
  { uid }: Note,
  context: ActionContext,
  signal: AbortSignal,
): Promise<void> {
  await waitUntil(context, signal, async () => {
    const workload = await readWorkload(cluster, p)
    assertSameObject(workload.ref, workload.metadata, uid)
    if (workload.spec.replicas !== replicas) throw changed(workload)
    const lacking = await lacks(cluster, workload)
    return lacking === undefined ? { found: true } : { lacks: lacking }
  })
}

async function lacks(cluster: Cluster, workload: Workload): Promise<string | undefined> {
  const lacking = lacksScale(workload)
  if (lacking !== undefined) return lacking
  const live = await livePods(cluster, workload)
  const { replicas } = workload.spec
  return live > replicas ? `${countPods(live)} of ${nameOf(workload.ref)} still there, ${replicas} wanted` : undefined
}

function changed({ ref, spec }: Workload) {
  return changedMeanwhile(ref, undefined, `: it has ${spec.replicas} replicas`)
}

function outcome({ replicas }: Params, noted: Note | undefined) {
  return { replicas, previous: noted?.before ?? replicas }
}

function word(p: Params): string {
  const { kind, name } = workloadRef(p)
  return `${kind.toLowerCase()}/${name}`
}

function commands(p: Params, replicas: string, catalog: Parameters<typeof kubectlFor>[1]): string[] {
  const { line } = kubectlFor(p.cluster, catalog)
  return [
    line(['scale', word(p), `--replicas=${replicas}`], p.namespace),
    `${line(['rollout', 'status', word(p)], p.namespace)}   # ends when they are available`,
    `${line(['get', word(p)], p.namespace)}   # expect ${replicas} of ${replicas}`,
    ...(p.replicas === 0
      ? [`${line(['get', 'pods'], p.namespace)}   # until none of it is left, also none that is Terminating`]
      : []),
  ]
}
