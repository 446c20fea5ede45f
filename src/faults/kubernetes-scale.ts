import { z } from 'zod'
import { text } from '../catalog/index.ts'
import { apiPath, readObject } from '../clusters/index.ts'
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
  requireNoneSpared,
} from './kubernetes/api.ts'

const params = z.strictObject({
  cluster: clusterParam,
  namespace: text.describe('The namespace of the workload.'),
  kind: z.enum(['Deployment', 'StatefulSet']).describe('What it is.').default('Deployment'),
  name: text.describe('Its name.'),
  replicas: z.int().min(0).describe('How many pods it shall have as long as the fault lasts.').default(0),
})

type Params = z.infer<typeof params>

const traces = z.strictObject({
  cluster: clusterTrace,
  path: z.string(),
  what: z.string(),
  uid: z.string(),
  replicas: z.int(),
  before: z.int(),
})

type Traces = z.infer<typeof traces>

/** A workload has fewer pods, or none. */
export const kubernetesScale = defineFault<Params, Traces>({
  kind: 'kubernetes.scale',
  description:
    'Scales a Deployment or a StatefulSet to zero, or to another number, and back to what it was. An annotation holdfast.dev/fault says whose change it is; what another fault has changed already is refused. An autoscaler or an operator may set the number again: their number stays at the end, and the look before that finds that the fault was not there any more, unless they had set it back by then.',
  example: { cluster: 'prod', namespace: 'shop', name: 'web' },
  params,
  traces,
  expiry: 'never',
  preflight: ({ cluster }, context, signal) => clusterFindings(cluster, context, signal),

  async plan({ cluster: name, namespace, kind, name: workload, replicas }, context, signal) {
    const cluster = await findCluster(name, context, signal)
    await using connection = await openCluster(cluster, context, signal)
    const path = apiPath('/apis/apps/v1', 'namespaces', namespace, `${kind.toLowerCase()}s`, workload)
    const what = `${kind} ${namespace}/${workload}`
    const found = await readObject(connection, path, what)
    requireNoneSpared(found === undefined ? [] : [found], kind, context)
    const before = Number(found?.spec?.replicas ?? 1)
    if (found !== undefined && before === replicas)
      throw new HoldfastError('fault-refused', { message: `${what} has ${replicas} replicas already` })
    return {
      targets: found === undefined ? [] : [`${what} of ${name} (${before} → ${replicas} replicas)`],
      traces: { cluster, path, what, uid: found?.metadata.uid ?? '', replicas, before },
    }
  },

  ...changing(changeOf),
  manualUndo: ({ cluster, what, before }) => [
    kubectl(cluster, 'scale', ...byHand(what), `--replicas=${before}`),
    annotateBack(cluster, ...byHand(what)),
  ],
})

function changeOf({ path, what, uid, replicas, before }: Traces): Change {
  return { path, what, uid, pointer: '/spec/replicas', value: replicas, before }
}

/** `Deployment shop/web` as kubectl takes it: `-n shop deployment/web`. */
function byHand(what: string): string[] {
  const [kind = '', place = ''] = what.split(' ')
  const [namespace = '', name = ''] = place.split('/')
  return ['-n', namespace, `${kind.toLowerCase()}/${name}`]
}
