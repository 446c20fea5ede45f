import { z } from 'zod'
import { text } from '../catalog/index.ts'
import { defineFault } from './define-fault.ts'
import { changing } from './kubernetes/annotated.ts'
import { clusterFindings, clusterParam } from './kubernetes/api.ts'
import { cordonOf, cordonTrace, planCordon, uncordonByHand, type CordonTrace } from './kubernetes/node.ts'

const params = z.strictObject({ cluster: clusterParam, node: text.describe('The node.') })
type Params = z.infer<typeof params>

/** Nothing new comes to a node. */
export const kubernetesCordon = defineFault<Params, CordonTrace>({
  kind: 'kubernetes.cordon',
  description:
    'Lets no new pods come to a node; those that are there stay. An annotation holdfast.dev/fault says whose change it is; a node that is cordoned already is refused, and one that somebody has let go meanwhile stays so. To empty it as well there is kubernetes.drain.',
  example: { cluster: 'prod', node: 'worker-3' },
  params,
  traces: cordonTrace,
  expiry: 'never',
  preflight: ({ cluster }, context, signal) => clusterFindings(cluster, context, signal),

  plan: async (p, context, signal) => ({
    targets: [`node ${p.node} of ${p.cluster}`],
    traces: await planCordon(p, context, signal),
  }),

  ...changing(cordonOf),
  manualUndo: uncordonByHand,
})
