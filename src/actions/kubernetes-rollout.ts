import { z } from 'zod'
import { clusterName, text } from '../catalog/index.ts'
import { blocker, HoldfastError, type Json } from '../kernel/index.ts'
import { done, halfDone, notDone, unknown, type ActionContext, type Finding } from './contract.ts'
import { defineAction } from './define-action.ts'
import { assertSameObject, change, changedMeanwhile, notedChange, standing } from './kubernetes/change.ts'
import { identityFindings, openCluster, type Cluster } from './kubernetes/cluster.ts'
import { reversed } from './kubernetes/json-patch.ts'
import { kubectlFor } from './kubernetes/kubectl.ts'
import { kubeName, nameOf } from './kubernetes/object.ts'
import { containerTests, imageChanges, restartChanges } from './kubernetes/template-changes.ts'
import { waitUntil } from './kubernetes/wait-until.ts'
import {
  isOneWorkload,
  lacksRollout,
  oneWorkload,
  stalled,
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
    restart: z.literal(true).describe('Replaces every pod by a new one like it.').optional(),
    images: z
      .record(kubeName, text)
      .refine((images) => Object.keys(images).length > 0)
      .meta({
        minProperties: 1,
        expected: 'at least one container with its image',
        description: 'The images to run, by the names of the containers.',
      })
      .optional(),
    wait: z
      .boolean()
      .describe('Waits until only new pods are left, and all are available. At most the step’s time.')
      .default(true),
  })
  .refine(isOneWorkload, oneWorkload)
  .refine(({ restart, images }) => (restart === undefined) !== (images === undefined), {
    message: "exactly one of 'restart' and 'images'",
  })

type Params = z.infer<typeof params>

/** What this step changes in the template, fixed before its first attempt: another attempt restarts nothing a second time. */
const note = z.strictObject({ uid: z.string(), changes: z.array(notedChange) })
type Note = z.infer<typeof note>

/** Rolls new pods out, and waits until only those are left. Its undo brings back the template that was there, unless somebody has changed it since. */
export const kubernetesRollout = defineAction<Params>({
  kind: 'kubernetes.rollout',
  description:
    'Replaces the pods of a Deployment or a StatefulSet, by others like them (`restart`) or with other images, and waits as `kubectl rollout status` does: until its controller has seen the change, every pod is new and available, and no old one is left. A Deployment whose progress deadline passes fails at once. What the template said is noted before; the undo puts that back, so that the controller returns to the revision before, and waits alike. It fails where somebody else has changed the same since. Outputs: `revision`, `images`.',
  example: { cluster: 'dr', namespace: 'shop', deployment: 'web', images: { web: 'registry.example.com/web:1.42.0' } },
  effect: 'reversible',
  params,

  async preflight(p, context, signal) {
    if (outputReference.test(workloadRef(p).name) || outputReference.test(p.namespace)) return []
    await using cluster = await openCluster(p.cluster, context, signal)
    const findings = [...(await identityFindings(cluster)), ...(await cluster.forbidden(workloadRef(p), ['get', 'patch']))]
    if (findings.some(({ code }) => code === 'permission-denied')) return findings
    return [...findings, ...problems(p, await readWorkload(cluster, p))]
  },

  async probe(p, context, { signal, idempotencyKey }) {
    const noted = await readNote(context, idempotencyKey, note)
    if (noted === undefined) return notDone
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const workload = await readWorkload(cluster, p)
    const name = nameOf(workload.ref)
    if (workload.metadata.uid !== noted.uid) return unknown(`${name} is another one than it was`)
    const stands = standing(workload, noted.changes)
    if (stands === 'as-before') return notDone
    if (stands === 'otherwise')
      return unknown(`the template of ${name} is neither as it was nor as it is to be: somebody else changes it`)
    return !p.wait || lacksRollout(workload) === undefined ? done(outcome(workload)) : halfDone
  },

  async run(p, context, { signal, idempotencyKey }) {
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const workload = await readWorkload(cluster, p)
    const { ref, metadata } = workload
    const [problem] = problems(p, workload)
    if (problem !== undefined) throw new HoldfastError('command-failed', { message: problem.message, ...hintOf(problem) })
    const noted = (await readNote(context, idempotencyKey, note)) ?? {
      uid: metadata.uid,
      changes: changesFor(p, workload, context),
    }
    await writeNote(context, idempotencyKey, noted as unknown as Json)
    assertSameObject(ref, metadata, noted.uid)
    const stands = standing(workload, noted.changes)
    if (stands === 'otherwise') throw changedMeanwhile(ref)
    if (stands === 'as-before') await change(cluster, { ref, uid: noted.uid }, noted.changes, containerTests(workload, p.images))
    return outcome(p.wait ? await untilRolledOut(cluster, p, noted, context, signal) : await readWorkload(cluster, p))
  },

  async undo(p, _output, context, { signal, idempotencyKey }) {
    const noted = await readNote(context, idempotencyKey, note)
    if (noted === undefined) return
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const workload = await readWorkload(cluster, p)
    const { ref, metadata } = workload
    assertSameObject(ref, metadata, noted.uid)
    const back = { ...noted, changes: reversed(noted.changes) }
    const stands = standing(workload, back.changes)
    if (stands === 'otherwise') throw changedMeanwhile(ref)
    if (stands === 'as-before') await change(cluster, { ref, uid: noted.uid }, back.changes, containerTests(workload, p.images))
    if (p.wait) await untilRolledOut(cluster, p, back, context, signal)
  },

  reach: () => 'outside',
  manual: (p, catalog) => {
    const { before, line } = kubectlFor(p.cluster, catalog)
    const images = Object.entries(p.images ?? {}).map(([container, image]) => `${container}=${image}`)
    const roll = images.length === 0 ? ['rollout', 'restart', word(p)] : ['set', 'image', word(p), ...images]
    return [
      ...before,
      `${line(['rollout', 'history', word(p)], p.namespace)}   # the last revision is what undoing goes back to`,
      line(roll, p.namespace),
      `${line(['rollout', 'status', word(p)], p.namespace)}   # ends when only new pods are left, all available`,
    ]
  },
  manualUndo: (p, catalog) => {
    const { before, line } = kubectlFor(p.cluster, catalog)
    return [
      ...before,
      `${line(['rollout', 'undo', word(p)], p.namespace)}   # only while nobody has rolled out anything else since`,
      line(['rollout', 'status', word(p)], p.namespace),
    ]
  },
})

async function readWorkload(cluster: Cluster, p: Params): Promise<Workload> {
  return workloadOf(await cluster.read(workloadRef(p)), workloadRef(p))
}

function changesFor({ images }: Params, workload: Workload, { clock }: ActionContext): Note['changes'] {
  return images === undefined ? restartChanges(workload, clock.now()) : imageChanges(workload, images)
}

/** Why no pod would be replaced. */
function problems({ images = {} }: Params, { ref, spec }: Workload): Finding[] {
  const found: Finding[] = []
  if (spec.paused)
    found.push(
      blocker('paused', `${nameOf(ref)} is paused: its pods would stay as they are`, 'resume it: `kubectl rollout resume`'),
    )
  if (spec.updateStrategy?.type === 'OnDelete')
    found.push(
      blocker('updates-on-delete', `${nameOf(ref)} replaces no pod by itself (OnDelete)`, 'delete its pods, one after the other'),
    )
  const known = [...spec.template.spec.containers, ...spec.template.spec.initContainers].map(({ name }) => name)
  for (const container of Object.keys(images).filter((name) => !known.includes(name)))
    found.push(
      blocker('no-such-container', `${nameOf(ref)} has no container ${container}`, `its containers are: ${known.join(', ')}`),
    )
  return found
}

async function untilRolledOut(
  cluster: Cluster,
  p: Params,
  { uid, changes }: Note,
  context: ActionContext,
  signal: AbortSignal,
): Promise<Workload> {
  return await waitUntil(context, signal, async () => {
    const workload = await readWorkload(cluster, p)
    const { ref, metadata, status } = workload
    assertSameObject(ref, metadata, uid)
    if (standing(workload, changes) !== 'as-told') throw changedMeanwhile(ref)
    const lacking = lacksRollout(workload)
    if (lacking === undefined) return { found: workload }
    const problem = status.observedGeneration < metadata.generation ? undefined : stalled(workload)
    if (problem === undefined) return { lacks: lacking }
    throw new HoldfastError('command-failed', {
      message: `the rollout of ${nameOf(ref)} has come to a halt: ${problem.replace(/\.$/, '')}; ${lacking}`,
      hint: `\`kubectl --namespace ${p.namespace} get pods\` and \`describe pod\` show why the new pods do not become ready`,
    })
  })
}

function outcome({ metadata, spec, status }: Workload) {
  const revision = metadata.annotations?.['deployment.kubernetes.io/revision'] ?? status.updateRevision ?? null
  return { revision, images: Object.fromEntries(spec.template.spec.containers.map(({ name, image = '' }) => [name, image])) }
}

function hintOf({ hint }: Finding) {
  return hint === undefined ? {} : { hint }
}

function word(p: Params): string {
  const { kind, name } = workloadRef(p)
  return `${kind.toLowerCase()}/${name}`
}
