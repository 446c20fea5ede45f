import { z } from 'zod'
import { durationText, text } from '../catalog/index.ts'
import { endPod, livingPods, podsPath, stillLiving, type PodEnding } from '../clusters/index.ts'
import { HoldfastError, parseDuration } from '../kernel/index.ts'
import { choice, choose, type Choice } from './choose.ts'
import { absent, partly, present } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { clusterFindings, clusterParam, clusterTrace, findCluster, isSpared, openCluster } from './kubernetes/api.ts'

const params = z.strictObject({
  cluster: clusterParam,
  namespace: text.describe('The namespace of the pods.'),
  selector: text.describe('Which pods, by their labels, as `kubectl get pods -l` takes it: app=web,tier!=cache.'),
  choose: choice.describe('How many of those that fit and are not being terminated.').default('one'),
  grace: durationText.describe('How long a pod has to end in order; 0s kills it.').default('0s'),
  by: z
    .enum(['delete', 'evict'])
    .describe('Deleted, or evicted as by a drain, which a disruption budget may refuse.')
    .default('delete'),
})

interface Params {
  readonly cluster: string
  readonly namespace: string
  readonly selector: string
  readonly choose: Choice
  readonly grace: string
  readonly by: 'delete' | 'evict'
}

const traces = z.strictObject({
  cluster: clusterTrace,
  namespace: z.string(),
  pods: z.array(z.strictObject({ name: z.string(), uid: z.string() })),
})

/** Pods end. What starts others in their place is what the experiment is about. */
export const kubernetesPodKill = defineFault<Params, z.infer<typeof traces>>({
  kind: 'kubernetes.pod-kill',
  description:
    'Ends pods of a cluster, chosen at random among those that their labels name, by deleting or by evicting them. Exactly those pods (by uid) and none that came after them. It counts as injected once they are gone or being terminated, unless none of them was ended by it; the end of the fault changes nothing.',
  example: { cluster: 'prod', namespace: 'shop', selector: 'app=web', choose: 'one' },
  params,
  traces,
  irreversible: true,
  expiry: 'never',
  preflight: ({ cluster }, context, signal) => clusterFindings(cluster, context, signal),

  async plan({ cluster: name, namespace, selector, choose: how }, context, signal) {
    const cluster = await findCluster(name, context, signal)
    await using connection = await openCluster(cluster, context, signal)
    const found = await livingPods(connection, podsPath(namespace), { labelSelector: selector }, `list pods of ${namespace}`)
    const living = found.filter((pod) => !isSpared(pod, context))
    const pods = choose(living, how, () => context.random()).map(({ metadata }) => ({ name: metadata.name, uid: metadata.uid }))
    return {
      targets: pods.map(({ name: pod }) => `pod ${namespace}/${pod} of ${name}`),
      candidates: living.length,
      traces: { cluster, namespace, pods },
    }
  },

  async inject({ grace, by }, { cluster, namespace, pods }, context, signal) {
    await using connection = await openCluster(cluster, context, signal)
    const gracePeriodSeconds = Math.ceil(parseDuration(grace) / 1000)
    const names: Record<PodEnding['outcome'], string[]> = { told: [], held: [], gone: [], unknown: [] }
    for (const pod of pods) {
      const { outcome } = await endPod(connection, { ...pod, namespace }, by, gracePeriodSeconds)
      names[outcome].push(pod.name)
    }
    // Of some that were told, those that stay are what the look sees; of none, it would see what others did.
    if (names.told.length + names.unknown.length === 0) throw noneTold(names)
  },

  async look({ cluster, namespace, pods }, context, signal) {
    await using connection = await openCluster(cluster, context, signal)
    const living = await stillLiving(
      connection,
      pods.map((pod) => ({ ...pod, namespace })),
    )
    if (living.length === 0) return present
    return living.length === pods.length ? absent : partly(`${living.map(({ name }) => name).join(', ')} still lives`)
  },

  async undo() {
    // What is gone stays gone.
  },

  manualUndo: () => [],
})

function noneTold({ held, gone }: Readonly<Record<'held' | 'gone', readonly string[]>>): HoldfastError {
  const because = [
    ...(gone.length > 0 ? [`${gone.join(', ')} had ended before`] : []),
    ...(held.length > 0 ? [`disruption budgets hold up ${held.join(', ')}`] : []),
  ]
  return new HoldfastError('fault-failed', {
    message: `no pod was ended by this: ${because.join('; ')}`,
    hint: held.length > 0 ? '`kubectl get poddisruptionbudgets --all-namespaces` shows what they allow' : 'run it again',
  })
}
