import { z } from 'zod'
import { durationText, text } from '../catalog/index.ts'
import {
  controllerOf,
  endPod,
  hasEmptyDir,
  isStaticPod,
  livingPods,
  stillLiving,
  type Connection,
  type KubeObject,
  type PodTrace,
} from '../clusters/index.ts'
import { HoldfastError, parseDuration } from '../kernel/index.ts'
import { partly, type FaultContext } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { change, changing, lookAtChange } from './kubernetes/annotated.ts'
import { clusterFindings, clusterParam, openCluster, requireNoneSpared } from './kubernetes/api.ts'
import { cordonOf, cordonTrace, planCordon, uncordonByHand } from './kubernetes/node.ts'

const params = z.strictObject({
  cluster: clusterParam,
  node: text.describe('The node.'),
  patience: durationText.describe('How long disruption budgets may keep a pod there before the fault fails.').default('2m'),
  deleteEmptyDirData: z
    .boolean()
    .describe('Also evict pods that keep data in an emptyDir volume, which is lost with them.')
    .default(false),
})

type Params = z.infer<typeof params>

const pod = z.strictObject({ namespace: z.string(), name: z.string(), uid: z.string() })
const traces = cordonTrace.extend({ pods: z.array(pod) })
type Traces = z.infer<typeof traces>

const pollMs = 500
const cordon = changing<Traces>(cordonOf)

/** A node is emptied, and nothing new comes to it. */
export const kubernetesDrain = defineFault<Params, Traces>({
  kind: 'kubernetes.drain',
  description:
    'Cordons a node and evicts its pods, as `kubectl drain` does: disruption budgets are heeded, pods of DaemonSets and static pods stay. Pods that nothing would start elsewhere, and with data in an emptyDir volume, are refused. At the end the node takes pods again, if the cordon is still ours (an annotation holdfast.dev/fault says so); what was evicted stays where it is by then.',
  example: { cluster: 'prod', node: 'worker-3' },
  params,
  traces,
  expiry: 'never',
  preflight: ({ cluster }, context, signal) => clusterFindings(cluster, context, signal),

  async plan(p, context, signal) {
    const cordon = await planCordon(p, context, signal)
    await using connection = await openCluster(cordon.cluster, context, signal)
    const pods = await podsToEvict(connection, p, context)
    return {
      targets: [
        `node ${p.node} of ${p.cluster}`,
        ...pods.map(({ namespace, name }) => `pod ${namespace}/${name} of ${p.cluster}`),
      ],
      traces: { ...cordon, pods },
    }
  },

  async inject({ patience }, traces, context, signal) {
    await using connection = await openCluster(traces.cluster, context, signal)
    await change(connection, cordonOf(traces), context.id)
    await evictAll(connection, traces.pods, parseDuration(patience), context, signal)
  },

  async look(traces, context, signal) {
    await using connection = await openCluster(traces.cluster, context, signal)
    const sight = await lookAtChange(connection, cordonOf(traces), context.id)
    if (sight.state !== 'present') return sight
    const living = await stillLiving(connection, traces.pods)
    return living.length === 0 ? sight : partly(`${living.map(({ name }) => name).join(', ')} still lives`)
  },

  undo: cordon.undo,
  manualUndo: uncordonByHand,
})

/** All but those that a drain leaves. Throws `fault-refused` for those that it would lose. */
async function podsToEvict(
  connection: Connection,
  { node, deleteEmptyDirData }: Params,
  context: FaultContext,
): Promise<PodTrace[]> {
  const there = await livingPods(
    connection,
    '/api/v1/pods',
    { fieldSelector: `spec.nodeName=${node}` },
    `list pods of Node ${node}`,
  )
  const moved = there.filter((found) => controllerOf(found) !== 'DaemonSet' && !isStaticPod(found))
  requireNoneSpared(moved, 'Pod', context)
  const lost = moved.filter((found) => controllerOf(found) === undefined)
  if (lost.length > 0) throw wouldLose(lost, 'nothing would start them elsewhere')
  const emptied = deleteEmptyDirData ? [] : moved.filter(hasEmptyDir)
  if (emptied.length > 0)
    throw wouldLose(emptied, 'their emptyDir volumes would be lost', 'set `deleteEmptyDirData: true` if it may')
  return moved.map(({ metadata: { namespace = '', name, uid } }) => ({ namespace, name, uid }))
}

/** Again and again, until no budget holds one up. */
async function evictAll(
  connection: Connection,
  pods: readonly PodTrace[],
  patienceMs: number,
  { clock }: FaultContext,
  signal: AbortSignal,
): Promise<void> {
  const endMs = clock.monotonicMs() + patienceMs
  for (let left = pods; ;) {
    const held: PodTrace[] = []
    for (const pod of left) if ((await endPod(connection, pod, 'evict')).outcome === 'held') held.push(pod)
    if (held.length === 0) return
    if (clock.monotonicMs() > endMs) {
      throw new HoldfastError('fault-failed', {
        message: `disruption budgets hold up ${held.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}`,
        hint: '`kubectl get poddisruptionbudgets --all-namespaces` shows what they allow; the node takes pods again',
      })
    }
    await clock.sleep(pollMs, signal)
    left = held
  }
}

function wouldLose(pods: readonly KubeObject[], why: string, hint?: string): HoldfastError {
  const names = pods.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`)
  return new HoldfastError('fault-refused', { message: `${names.join(', ')}: ${why}`, ...(hint === undefined ? {} : { hint }) })
}
