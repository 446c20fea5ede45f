import { z } from 'zod'
import { text } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import { defineFault } from './define-fault.ts'
import { annotateBack, changing, type Change } from './kubernetes/annotated.ts'
import {
  clusterFindings,
  clusterParam,
  clusterTrace,
  findCluster,
  kubectl,
  openCluster,
  readObject,
  requireNoneSpared,
} from './kubernetes/api.ts'

const params = z.strictObject({ cluster: clusterParam, node: text.describe('The node.') })
type Params = z.infer<typeof params>

const traces = z.strictObject({ cluster: clusterTrace, node: z.string(), uid: z.string(), hadMember: z.boolean() })
type Traces = z.infer<typeof traces>

/** Nothing new comes to a node. */
export const kubernetesCordon = defineFault<Params, Traces>({
  kind: 'kubernetes.cordon',
  description:
    'Lets no new pods come to a node; those that are there stay. An annotation holdfast.dev/fault says whose change it is; a node that is cordoned already is refused. To drain it as well, evict its pods with kubernetes.pod-kill.',
  example: { cluster: 'prod', node: 'worker-3' },
  params,
  traces,
  expiry: 'never',
  preflight: ({ cluster }, context, signal) => clusterFindings(cluster, context, signal),

  async plan({ cluster: name, node }, context, signal) {
    const cluster = await findCluster(name, context, signal)
    await using connection = await openCluster(cluster, context, signal)
    const found = await readObject(connection, pathOf(node), `Node ${node}`)
    requireNoneSpared(found === undefined ? [] : [found], 'Node', context)
    const before = found?.spec?.unschedulable
    if (before === true) throw new HoldfastError('fault-refused', { message: `Node ${node} is cordoned already` })
    return {
      targets: found === undefined ? [] : [`node ${node} of ${name}`],
      traces: { cluster, node, uid: found?.metadata.uid ?? '', hadMember: before !== undefined },
    }
  },

  ...changing(changeOf),
  manualUndo: ({ cluster, node }) => [kubectl(cluster, 'uncordon', node), annotateBack(cluster, `node/${node}`)],
})

function pathOf(node: string): string {
  return `/api/v1/nodes/${encodeURIComponent(node)}`
}

function changeOf({ node, uid, hadMember }: Traces): Change {
  const before = hadMember ? false : null
  return { path: pathOf(node), what: `Node ${node}`, uid, pointer: '/spec/unschedulable', value: true, before }
}
