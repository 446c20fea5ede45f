import { z } from 'zod'
import { text } from '../catalog/index.ts'
import { isMissing } from '../clusters/index.ts'
import { blocker, HoldfastError, isHoldfastError, type Json } from '../kernel/index.ts'
import type { FaultContext } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { clusterFindings, clusterParam, clusterTrace, findCluster, kubectl, openCluster } from './kubernetes/api.ts'
import { apiVersion, installedKinds, limited, lookAtChaos, onceOnlyProblem, pathOf } from './kubernetes/chaos-mesh.ts'

const params = z.strictObject({
  cluster: clusterParam,
  namespace: text.describe('The namespace where the object of Chaos Mesh is made.'),
  kind: text.describe('Its kind: NetworkChaos, StressChaos, IOChaos, TimeChaos, …'),
  // Any JSON, which the catalog's schema cannot refer back to here.
  spec: z
    .record(
      text,
      z.unknown().transform((value) => value as Json),
    )
    .describe('Its spec, as the documentation of Chaos Mesh has it.'),
})

interface Params {
  readonly cluster: string
  readonly namespace: string
  readonly kind: string
  readonly spec: Readonly<Record<string, Json>>
}

const traces = z.strictObject({ cluster: clusterTrace, namespace: z.string(), kind: z.string(), plural: z.string() })
type Traces = z.infer<typeof traces>

const pollMs = 250
/** How long Chaos Mesh may take to find what a selector means. */
const selectMs = 10_000

/** What Chaos Mesh breaks in a cluster. */
export const kubernetesChaosMesh = defineFault<Params, Traces>({
  kind: 'kubernetes.chaos-mesh',
  description:
    'Makes an object of Chaos Mesh, which must be installed in the cluster, and deletes it at the end. Its name and its label holdfast.dev/fault have the number of the injection. It counts as injected once its condition AllInjected is true, and as gone once Chaos Mesh has taken everything back and let go of it (its finalizers). A duration until the deadline is added where it has none or a longer one, so that it also ends when nobody deletes it; a shorter one ends it before, as it was told to. Chaos Mesh chooses what is hit: the blast radius counts it as one, and excluded labels are added to its selectors. What has no end is refused: pod-kill and container-kill (there is kubernetes.pod-kill), restarts of machines, PhysicalMachineChaos, and mistakes of IOChaos in what is written (its methods must be read alone).',
  example: {
    cluster: 'prod',
    namespace: 'shop',
    kind: 'NetworkChaos',
    spec: {
      action: 'delay',
      mode: 'all',
      selector: { namespaces: ['shop'], labelSelectors: { app: 'web' } },
      delay: { latency: '200ms', jitter: '50ms' },
    },
  },
  params,
  traces,
  expiry: 'by-itself',

  async preflight(p, context, signal) {
    const unusable = await clusterFindings(p.cluster, context, signal)
    if (unusable.length > 0) return unusable
    const problem = onceOnlyProblem(p.kind, p.spec)
    if (problem !== undefined) return [blocker('no-end', `${p.kind}: ${problem.message}`, problem.hint)]
    await using connection = await openCluster(await findCluster(p.cluster, context, signal), context, signal)
    const kinds = await installedKinds(connection)
    if (kinds === undefined)
      return [blocker('no-chaos-mesh', `${p.cluster} does not know ${apiVersion}`, 'install Chaos Mesh there')]
    const plural = kinds.get(p.kind)
    if (plural === undefined)
      return [blocker('no-such-kind', `Chaos Mesh in ${p.cluster} has no ${p.kind}`, `it has: ${[...kinds.keys()].join(', ')}`)]
    try {
      // Checks it against its definition, and asks for the right to make it.
      await connection.send({ ...creation(p, plural, context), query: { dryRun: 'All' } })
      return []
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      return [blocker('not-valid', error.message, error.hint)]
    }
  },

  async plan({ cluster: name, namespace, kind, spec }, context, signal) {
    const cluster = await findCluster(name, context, signal)
    await using connection = await openCluster(cluster, context, signal)
    const plural = (await installedKinds(connection))?.get(kind) ?? ''
    const word = (value: Json | undefined, otherwise: string) => (typeof value === 'string' ? value : otherwise)
    return {
      targets: [
        `${kind} in ${namespace} of ${name}: ${word(spec.action, 'chaos')} of ${word(spec.mode, 'all')} that its selector means`,
      ],
      traces: { cluster, namespace, kind, plural },
    }
  },

  async inject(p, trace, context, signal) {
    await using connection = await openCluster(trace.cluster, context, signal)
    await connection.send(creation(p, trace.plural, context))
    const { clock, deadlineMs } = context
    const endMs = clock.monotonicMs() + selectMs
    for (;;) {
      const sight = await lookAtChaos(connection, objectOf(trace, context.id), whatOf(trace, context.id))
      if (sight.state === 'present') return
      if (sight.state === 'over')
        throw new HoldfastError('fault-failed', {
          message: 'its duration was over before all that it selects was seen to have it',
        })
      if (sight.state === 'absent')
        throw new HoldfastError('fault-failed', { message: `somebody has deleted ${whatOf(trace, context.id)}` })
      if (clock.monotonicMs() > (sight.selects === false ? endMs : deadlineMs))
        throw new HoldfastError('fault-failed', { message: sight.because })
      await clock.sleep(pollMs, signal)
    }
  },

  async look(trace, context, signal) {
    await using connection = await openCluster(trace.cluster, context, signal)
    const { selects: _, ...sight } = await lookAtChaos(connection, objectOf(trace, context.id), whatOf(trace, context.id))
    return sight
  },

  async undo(trace, context, signal) {
    await using connection = await openCluster(trace.cluster, context, signal)
    const what = `delete ${whatOf(trace, context.id)}`
    const request = { method: 'DELETE', path: objectOf(trace, context.id), what, changes: true } as const
    await connection.send(request).catch((error: unknown) => {
      if (!isMissing(error)) throw error
    })
  },

  manualUndo: ({ cluster, namespace, plural }, id) => [
    kubectl(cluster, 'delete', '-n', namespace, `${plural}.chaos-mesh.org/${nameOf(id)}`),
  ],
})

/** Throws `fault-refused` when what is excluded could be hit, or its end is none. */
function creation({ namespace, kind, spec }: Params, plural: string, { id, spare = [], deadlineMs, clock }: FaultContext) {
  const within = limited(spec, spare, deadlineMs - clock.monotonicMs())
  const metadata = { name: nameOf(id), namespace, labels: { 'holdfast.dev/fault': id } }
  const body = { apiVersion, kind, metadata, spec: within }
  return {
    method: 'POST',
    path: pathOf(namespace, plural),
    body,
    what: `create ${whatOf({ namespace, kind }, id)}`,
    changes: true,
  } as const
}

function objectOf({ namespace, plural }: Traces, id: string): string {
  return pathOf(namespace, plural, nameOf(id))
}

function whatOf({ namespace, kind }: Pick<Traces, 'namespace' | 'kind'>, id: string): string {
  return `${kind} ${namespace}/${nameOf(id)}`
}

function nameOf(id: string): string {
  return `holdfast-${id}`
}
