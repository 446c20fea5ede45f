import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { resolveSecret } from '../../src/catalog/index.ts'
import type { CtkJournal } from '../../src/chaos/index.ts'
import { connect, endPod, stillLiving, type Connection, type KubeObject } from '../../src/clusters/index.ts'
import type { Json } from '../../src/kernel/index.ts'
import { runExperimentFile, type FinishedFile } from '../../src/service/index.ts'
import { never } from '../support/chaos.ts'
import { chaos, comparable } from '../support/chaostoolkit-run.ts'
import { temporaryFolder } from '../support/holdfast.ts'
import { serveLogs, type KubeletLogs } from '../support/kubelet-logs.ts'
import { startKubelet, type Kubelet } from '../support/kubelet.ts'
import { startKubernetes, type Kubernetes } from '../support/kubernetes.ts'
import { describeWith } from '../support/peers.ts'
import { until } from '../support/until.ts'

interface Played {
  readonly name: string
  readonly output: Json
  readonly how: string | undefined
  readonly exception: readonly string[]
}

/** What a journal tells that both must tell alike. */
interface Told extends Pick<CtkJournal, 'status' | 'deviated' | 'steady_states'> {
  readonly run: readonly Played[]
}

type Call = readonly [place: string, func: string, args?: Json]

const python = (module: string, func: string, args: Json = {}) => ({
  type: 'python',
  module: `chaosk8s.${module}`,
  func,
  arguments: args,
})
const activity = (type: 'probe' | 'action', [module, func, args = {}]: Call) => ({
  type,
  name: `${func} ${JSON.stringify(args)}`,
  provider: python(module, func, args),
})
const probes = (...calls: readonly Call[]) => calls.map((call) => activity('probe', call))
const actions = (...calls: readonly Call[]) => calls.map((call) => activity('action', call))

const metadata = (name: string, namespace: string, labels: object = { app: name, name }) => ({ name, namespace, labels })
const template = (labels: object, spec: object = {}) => ({
  metadata: { labels },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'app', image: 'none' }], ...spec },
})
const workload = (kind: string, name: string, namespace: string, replicas: number | undefined, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: metadata(name, namespace),
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: { app: name } },
    template: template({ app: name, name }),
    ...more,
  },
})
const statefulSet = (name: string, namespace: string, replicas: number, spec: object = {}) =>
  workload('StatefulSet', name, namespace, replicas, {
    serviceName: name,
    podManagementPolicy: 'Parallel',
    template: template({ app: name }, spec),
  })
const service = (name: string, namespace: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(name, namespace),
  spec: { selector: { app: name }, ports: [{ port: 80 }] },
})
const pod = (name: string, namespace: string, app = 'bare') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  ...template({}),
  metadata: metadata(name, namespace, { app }),
})
const nodeOf = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { role: name, of: name.replace('node-', '') } },
})
const namespaceOf = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

/** What is asked of a cluster in which nothing changes. */
const questions = probes(
  ['pod.probes', 'pods_in_phase', { label_selector: 'app=web', ns: 'shop' }],
  ['pod.probes', 'pods_in_phase', { label_selector: 'app in (web, db)', phase: 'Running', ns: 'shop' }],
  ['pod.probes', 'pods_in_phase', { label_selector: 'app=stuck', ns: 'shop' }],
  ['pod.probes', 'pods_in_phase', { label_selector: 'app=stuck', ns: 'shop', raise_on_invalid_phase: false }],
  ['pod.probes', 'pods_in_phase', { label_selector: 'app=none', ns: 'shop' }],
  ['pod.probes', 'pods_in_phase', { label_selector: null, ns: 'shop', raise_on_invalid_phase: false }],
  ['pod.probes', 'pods_in_phase', { label_selector: 'no selector at all', ns: 'shop' }],
  ['pod.probes', 'pods_not_in_phase', { label_selector: 'app=web', ns: 'shop', phase: 'Failed' }],
  ['pod.probes', 'pods_not_in_phase', { label_selector: 'app=web', ns: 'shop' }],
  ['pod.probes', 'pods_not_in_phase', { label_selector: 'app=none', ns: 'shop', raise_on_in_phase: false }],
  [
    'pod.probes',
    'pods_in_conditions',
    { label_selector: 'app=web', ns: 'shop', conditions: [{ type: 'Ready', status: 'True' }] },
  ],
  [
    'pod.probes',
    'pods_in_conditions',
    { label_selector: 'app=web', ns: 'shop', conditions: [{ type: 'Ready', status: 'False' }] },
  ],
  [
    'pod.probes',
    'pods_in_conditions',
    { label_selector: 'app=web', ns: 'shop', conditions: [{ type: 'Ready' }], raise_on_invalid_conditions: false },
  ],
  ['pod.probes', 'count_pods', { label_selector: 'app=web', ns: 'shop' }],
  ['pod.probes', 'count_pods', { label_selector: '', phase: 'Pending', ns: 'shop' }],
  ['pod.probes', 'count_pods', { label_selector: 'app=web' }],
  ['pod.probes', 'count_min_pods', { label_selector: 'app=web', ns: 'shop' }],
  ['pod.probes', 'count_min_pods', { label_selector: 'app=web', min_count: 4, ns: 'shop' }],
  ['pod.probes', 'pod_is_not_available', { name: 'web', ns: 'shop' }],
  ['pod.probes', 'pod_is_not_available', { name: 'web', ns: 'shop', raise_on_is_available: false }],
  ['pod.probes', 'pod_is_not_available', { name: 'stuck', ns: 'shop', label_selector: 'app={name}' }],
  ['pod.probes', 'all_pods_healthy', { ns: 'shop' }],
  ['pod.probes', 'all_pods_healthy', { ns: 'shop', raise_on_any_unhealthy: false }],
  ['pod.probes', 'all_pods_healthy'],
  ['pod.probes', 'read_pod_logs', { name: 'web', ns: 'shop' }],
  [
    'pod.probes',
    'read_pod_logs',
    { label_selector: 'app=db', last: '10 minutes', ns: 'shop', container_name: 'app', from_previous: true },
  ],
  ['pod.probes', 'read_pod_logs', { label_selector: 'app=db', ns: 'shop', container_name: 'another' }],
  ['deployment.probes', 'deployment_available_and_healthy', { name: 'web', ns: 'shop' }],
  [
    'deployment.probes',
    'deployment_available_and_healthy',
    { name: 'web', ns: 'shop', label_selector: 'app=db', raise_on_unavailable: false },
  ],
  ['deployment.probes', 'deployment_available_and_healthy', { name: 'stuck', ns: 'shop' }],
  ['deployment.probes', 'deployment_available_and_healthy', { name: 'empty', ns: 'shop', raise_on_unavailable: false }],
  ['deployment.probes', 'deployment_available_and_healthy', { name: 'none', ns: 'shop' }],
  ['deployment.probes', 'deployment_partially_available', { name: 'web', ns: 'shop' }],
  ['deployment.probes', 'deployment_partially_available', { name: 'none', ns: 'shop', raise_on_not_partially_available: false }],
  ['deployment.probes', 'deployment_fully_available', { name: 'web', ns: 'shop' }],
  ['deployment.probes', 'deployment_fully_available', { name: 'stuck', ns: 'shop', timeout: 1 }],
  [
    'deployment.probes',
    'deployment_fully_available',
    { name: 'empty', ns: 'shop', timeout: '1', raise_on_not_fully_available: false },
  ],
  ['deployment.probes', 'deployment_not_fully_available', { name: 'stuck', ns: 'shop', label_selector: 'name={name}' }],
  [
    'deployment.probes',
    'deployment_not_fully_available',
    { name: 'web', ns: 'shop', timeout: 1, raise_on_fully_available: false },
  ],
  ['statefulset.probes', 'statefulset_fully_available', { name: 'db', ns: 'shop' }],
  ['statefulset.probes', 'statefulset_not_fully_available', { name: 'db', ns: 'shop', timeout: 1 }],
  ['daemonset.probes', 'daemon_set_available_and_healthy', { name: 'agent', ns: 'shop' }],
  ['daemonset.probes', 'daemon_set_available_and_healthy', { name: 'none', ns: 'shop' }],
  ['daemonset.probes', 'daemon_set_partially_available', { name: 'agent', ns: 'shop' }],
  ['daemonset.probes', 'daemon_set_not_fully_available', { name: 'agent', ns: 'shop' }],
  ['service.probes', 'service_is_initialized', { name: 'web', ns: 'shop' }],
  ['service.probes', 'service_is_initialized', { label_selector: 'app=web', ns: 'shop' }],
  ['service.probes', 'service_is_initialized', { name: 'web', label_selector: 'app=db', ns: 'shop' }],
  ['service.probes', 'service_is_initialized', { ns: 'kube-public', raise_if_service_not_initialized: false }],
  ['secret.probes', 'secret_exists', { name: 'key', ns: 'shop' }],
  ['secret.probes', 'secret_exists', { label_selector: 'app=none', ns: 'shop' }],
  ['namespace.probes', 'namespace_exists', { name: 'shop' }],
  ['namespace.probes', 'namespace_exists', { name: 'none' }],
  ['networking.probes', 'ingress_exists', { name: 'web', ns: 'shop' }],
  ['networking.probes', 'ingress_exists', { name: 'none', ns: 'shop' }],
  ['node.probes', 'get_nodes', { label_selector: 'role=edge' }],
  ['node.probes', 'get_all_node_status_conditions'],
  ['node.probes', 'all_nodes_must_be_ready_to_schedule'],
  ['node.probes', 'all_nodes_must_be_ready_to_schedule', { label_selector: 'role=edge' }],
  ['node.probes', 'verify_nodes_condition'],
  ['node.probes', 'verify_nodes_condition', { condition_type: 'Ready', condition_value: 'False', label_selector: 'role=edge' }],
  ['node.probes', 'nodes_must_be_healthy'],
  ['node.probes', 'nodes_must_be_healthy', { label_selector: 'role!=edge' }],
  ['event.probes', 'get_events', { field_selector: 'regarding.name=none' }],
  ['probes', 'all_microservices_healthy', { ns: 'shop' }],
  ['probes', 'microservice_is_not_available', { name: 'none', ns: 'shop' }],
  ['probes', 'deployment_is_fully_available', { name: 'web', ns: 'shop' }],
  ['probes', 'service_is_initialized', { name: 'web', ns: 'shop' }],
  ['probes', 'read_microservices_logs', { name: 'none', ns: 'shop' }],
  ['actions', 'kill_microservice', { name: 'none', label_selector: 'app=none', ns: 'shop' }],
)

/** Older names that do not do in the package what they say, and a number that it takes for granted. */
const stumbling = probes(
  ['probes', 'microservice_available_and_healthy', { name: 'web', ns: 'shop' }],
  ['probes', 'service_endpoint_is_initialized', { name: 'web', ns: 'shop' }],
  ['deployment.probes', 'deployment_partially_available', { name: 'stuck', ns: 'shop', raise_on_not_partially_available: false }],
)

/** What changes a cluster, each run in a namespace of its own, on a node of its own. */
const changes = [
  ...actions(
    ['pod.actions', 'terminate_pods', { label_selector: 'app=bare', qty: 2, grace_period: 0, ns: '$NS' }],
    ['pod.actions', 'terminate_pods', { label_selector: 'app=bare', name_pattern: '^t[hw]', order: 'oldest', ns: '$NS' }],
    ['pod.actions', 'terminate_pods', { label_selector: 'app=none', ns: '$NS' }],
    ['pod.actions', 'terminate_pods', { qty: -1, ns: '$NS' }],
    ['pod.actions', 'terminate_pods', { mode: 'most', ns: '$NS' }],
    ['pod.actions', 'terminate_pods', { order: 'newest', ns: '$NS' }],
    ['pod.actions', 'terminate_pods', { label_selector: 'app=db', mode: 'percentage', qty: 40, ns: '$NS' }],
    ['pod.actions', 'terminate_pods', { label_selector: 'app=idle', all: true, rand: true, qty: 1, ns: '$NS' }],
    ['pod.actions', 'delete_pods', { name: 'db-1', ns: '$NS' }],
    ['deployment.actions', 'scale_deployment', { name: 'web', replicas: 3, ns: '$NS' }],
    ['deployment.actions', 'scale_deployment', { name: 'none', replicas: 3, ns: '$NS' }],
    ['deployment.actions', 'rollout_deployment', { name: 'web', ns: '$NS' }],
    ['deployment.actions', 'rollout_deployment', { name: 'none', ns: '$NS' }],
    ['deployment.actions', 'create_deployment', { spec_path: '$FOLDER/more.yaml', ns: '$NS' }],
    ['deployment.actions', 'create_deployment', { spec_path: '$FOLDER/more.yaml', ns: '$NS' }],
    ['deployment.actions', 'create_deployment', { spec_path: '$FOLDER/more.txt', ns: '$NS' }],
    ['actions', 'scale_microservice', { name: 'more', replicas: 0, ns: '$NS' }],
    ['deployment.actions', 'delete_deployment', { label_selector: 'app=old', ns: '$NS' }],
    ['deployment.actions', 'delete_deployment', { name: 'none', label_selector: 'app=web', ns: '$NS' }],
    ['statefulset.actions', 'scale_statefulset', { name: 'db', replicas: 1, ns: '$NS' }],
    ['service.actions', 'delete_service', { name: 'web', ns: '$NS' }],
    ['service.actions', 'delete_service', { name: 'web', ns: '$NS' }],
    ['networking.actions', 'deny_all_ingress', { label_selectors: { app: 'web' }, ns: '$NS' }],
    ['networking.actions', 'deny_all_egress', { ns: '$NS' }],
    ['networking.actions', 'remove_deny_all_egress', { ns: '$NS' }],
    ['networking.actions', 'allow_dns_access', { ns: '$NS' }],
    ['daemonset.actions', 'update_daemon_set', { name: 'agent', spec: { spec: { minReadySeconds: 5 } }, ns: '$NS' }],
    ['namespace.actions', 'create_namespace', { name: '$NS-more' }],
    ['namespace.actions', 'create_namespace'],
    ['node.actions', 'cordon_node', { label_selector: 'of=$NS' }],
    ['node.actions', 'uncordon_node', { name: 'node-$NS' }],
    ['node.actions', 'cordon_node', { name: 'none' }],
    [
      'node.actions',
      'drain_nodes',
      { label_selector: 'of=$NS', delete_pods_with_local_storage: true, pod_label_selector: 'app=there', pod_namespace: '$NS' },
    ],
    ['node.actions', 'drain_nodes', { pod_label_selector: 'app=none', pod_namespace: '$NS' }],
  ),
  ...probes(
    ['deployment.probes', 'deployment_fully_available', { name: 'web', ns: '$NS' }],
    ['deployment.probes', 'deployment_fully_available', { name: 'web', ns: '$NS' }],
  ),
]

describeWith('kubernetes', 'functions of chaosk8s', (program) => {
  let kubernetes: Kubernetes
  let kubelet: Kubelet
  let logs: KubeletLogs
  let cluster: Connection
  let folder: Awaited<ReturnType<typeof temporaryFolder>>

  beforeAll(async () => {
    folder = await temporaryFolder('chaosk8s')
    kubernetes = await startKubernetes(program)
    const kubeconfig = await kubernetes.kubeconfig('admin')
    vi.stubEnv('KUBECONFIG', kubeconfig)
    cluster = await connect({ name: 'test', kubeconfig: { file: kubeconfig } }, { resolveSecret }, never)
    kubelet = await startKubelet(kubernetes)
    kubelet.holdsUp = ({ metadata: of }) => of?.labels?.app === 'stuck'
    logs = await serveLogs(kubernetes, (container) => `2026-11-28T05:00:00Z ${container.replace(/\?.*/, '')} is up\n`)
    await kubernetes.apply(
      ...['shop', 'ours', 'theirs', 'own'].map(namespaceOf),
      ...['edge', 'far', 'node-ours', 'node-theirs'].map(nodeOf),
      workload('Deployment', 'web', 'shop', 3),
      workload('Deployment', 'stuck', 'shop', 1),
      workload('Deployment', 'empty', 'shop', 0),
      statefulSet('db', 'shop', 2),
      workload('DaemonSet', 'agent', 'shop', undefined),
      service('web', 'shop'),
      { apiVersion: 'v1', kind: 'Secret', metadata: metadata('key', 'shop') },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: metadata('web', 'shop'),
        spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
      },
      workload('Deployment', 'web', 'own', 2),
      statefulSet('held', 'own', 1, { nodeName: 'far' }),
      statefulSet('spare', 'own', 0),
      // Its emptyDir may be lost, but nothing would start it elsewhere.
      { ...pod('alone', 'own'), spec: { ...template({}).spec, nodeName: 'edge', volumes: [{ name: 'scratch', emptyDir: {} }] } },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: metadata('held', 'own'),
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'held' } } },
      },
      ...['ours', 'theirs'].flatMap((of) => [
        workload('Deployment', 'web', of, 2),
        workload('Deployment', 'old', of, 0),
        workload('DaemonSet', 'agent', of, undefined),
        statefulSet('db', of, 2),
        statefulSet('there', of, 1, { nodeName: `node-${of}`, volumes: [{ name: 'scratch', emptyDir: {} }] }),
        service('web', of),
        ...['one', 'two', 'three'].map((name) => pod(name, of)),
        ...['four', 'five'].map((name) => pod(name, of, 'idle')),
      ]),
    )
    const condition = (type: string, status: string) => ({ type, status })
    await setStatus('/api/v1/nodes/node-1', {
      ...logs.status,
      conditions: [condition('Ready', 'True'), condition('PIDPressure', 'False')],
    })
    await setStatus('/api/v1/nodes/edge', { conditions: [condition('Ready', 'False'), condition('DiskPressure', 'True')] })
    for (const node of ['far', 'node-ours', 'node-theirs'])
      await setStatus(`/api/v1/nodes/${node}`, { conditions: [condition('Ready', 'True')] })
    await setStatus('/apis/apps/v1/namespaces/shop/daemonsets/agent', {
      currentNumberScheduled: 2,
      desiredNumberScheduled: 2,
      numberMisscheduled: 0,
      numberReady: 1,
    })
    const running = async () => (await podsOf('')).filter(({ status }) => status?.phase === 'Running').length
    await until('pods are running', running, (count) => count === 29)
  }, 300_000)

  afterAll(async () => {
    vi.unstubAllEnvs()
    await kubelet?.[Symbol.asyncDispose]()
    await logs?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
    await kubernetes?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const get = async (path: string) => await cluster.send({ method: 'GET', path, what: `read ${path}` })
  const itemsOf = async (path: string) => ((await get(path)) as unknown as { readonly items: readonly KubeObject[] }).items
  const podsOf = (place: string) => itemsOf(`/api/v1${place}/pods`)
  const nodeSpec = async (name: string) => ((await get(`/api/v1/nodes/${name}`)) as unknown as KubeObject).spec ?? {}
  async function setStatus(path: string, status: object): Promise<void> {
    const contentType = 'application/strategic-merge-patch+json'
    await cluster.send({ method: 'PATCH', path: `${path}/status`, contentType, body: { status }, what: `patch ${path}` })
  }

  let written = 0
  async function write(experiment: object): Promise<string> {
    const path = join(folder.path, `${++written}.json`)
    await writeFile(path, JSON.stringify({ title: 'a title', description: 'a description', method: [], ...experiment }))
    return path
  }
  const run = async (experiment: object, more: object = {}): Promise<FinishedFile> =>
    await runExperimentFile({ file: await write(experiment), strict: false, ...more }, never)

  describeWith('chaostoolkit', 'beside the package itself', (environment) => {
    const env = { ...process.env, PATH: `${join(environment, 'bin')}${delimiter}${process.env.PATH ?? ''}` }

    async function byBoth(experiment: object): Promise<{ ours: Told; theirs: Told }> {
      const text = JSON.stringify(experiment).replaceAll('$FOLDER', folder.path)
      const parsed = (ns: string) => JSON.parse(text.replaceAll('$NS', ns)) as object
      const byTheirs = async () => {
        const file = await write(parsed('theirs'))
        await mkdir(`${file}.run`)
        await chaos(environment, [file, `${file}.run/journal`], { ...env, KUBECONFIG: process.env.KUBECONFIG })
        return JSON.parse(await readFile(`${file}.run/journal`, 'utf8')) as CtkJournal
      }
      const [theirs, { journal: ours }] = await Promise.all([byTheirs(), run(parsed('ours'), { strict: true })])
      if (!text.includes('$NS')) return { theirs: told(theirs), ours: told(ours) }
      return { theirs: told(theirs, 'theirs'), ours: told(ours, 'ours') }
    }

    const alike = (text: string, ns: string) => text.replaceAll(new RegExp(`\\b${ns}\\b`, 'g'), '$NS')

    /** Which activity gave what, without what differs between two namespaces, and what counts all changes of the cluster. */
    function told(journal: CtkJournal, ns = '$NS'): Told {
      const text = alike(JSON.stringify(comparable(journal as unknown as Json)), ns)
        .replaceAll(/"resourceVersion":"\d+"/g, '"resourceVersion":""')
        // Newer versions of the client have one for each status.
        .replaceAll(/kubernetes\.client\.exceptions\.\w+/g, 'kubernetes.client.exceptions.ApiException')
      const { status, deviated, steady_states, run: played } = JSON.parse(text) as CtkJournal
      const short = played.map(({ activity: { name }, output, status: how, exception = [] }) => ({
        name,
        output,
        how,
        exception,
      }))
      return { status, deviated, steady_states, run: short }
    }

    test('answers what the package answers, and fails where it fails, but does not stumble', async () => {
      const found = (pattern: string) => ({
        type: 'probe',
        name: pattern,
        provider: python('pod.probes', 'should_be_found_in_logs', { pattern }),
      })
      const reading = activity('probe', ['pod.probes', 'read_pod_logs', { name: 'web', ns: 'shop' }])
      const counting = activity('probe', ['pod.probes', 'count_pods', { label_selector: 'app=web', ns: 'shop' }])
      const { ours, theirs } = await byBoth({
        'steady-state-hypothesis': {
          title: 'it is well',
          probes: [
            { ...counting, tolerance: [3, 3] },
            { ...reading, tolerance: found('app is (?P<how>up)') },
            { ...reading, tolerance: found('down') },
          ],
        },
        method: [...questions, ...stumbling],
        runtime: { hypothesis: { strategy: 'after-method-only' } },
      })
      const isStumbling = ({ name }: Played) => stumbling.some((each) => each.name === name)
      const steady = ({ run: played, ...rest }: Told) => ({ ...rest, run: played.filter((each) => !isStumbling(each)) })
      expect(steady(ours)).toEqual(steady(theirs))
      const outputs = ({ run: played }: Told) => played.filter(isStumbling).map(({ output }) => output)
      expect([outputs(ours), outputs(theirs)]).toEqual([
        [true, true, false],
        [null, null, null],
      ])
      expect(ours.run.filter(({ how }) => how === 'failed').length).toBeGreaterThan(10)
      const spans = logs.asked.flatMap((asked) => /sinceSeconds=(\d+)/.exec(asked)?.[1] ?? []).map(Number)
      expect(spans).toHaveLength(4)
      // Theirs takes the difference of two moments, with all that is loaded between them.
      expect(spans.filter((span) => span === 600).length).toBeGreaterThanOrEqual(2)
      expect(Math.min(...spans)).toBeGreaterThan(500)
      // Only ours bounds what it reads, and the kubelet is told.
      expect(logs.asked.some((asked) => /limitBytes=1677\d{4}/.test(asked))).toBe(true)
    })

    test('changes what the package changes, and fails where it fails', async () => {
      const more = JSON.stringify({ ...workload('Deployment', 'more', '', 1), metadata: { name: 'more' } })
      for (const name of ['more.yaml', 'more.txt']) await writeFile(join(folder.path, name), more)
      const { ours, theirs } = await byBoth({ method: changes })
      expect(ours).toEqual(theirs)
      const state = async (ns: string) => {
        const kinds = ['deployments', 'statefulsets', 'daemonsets'].map((kind) => `/apis/apps/v1/namespaces/${ns}/${kind}`)
        const policies = `/apis/networking.k8s.io/v1/namespaces/${ns}/networkpolicies`
        const found: Json[] = []
        for (const path of [...kinds, policies, `/api/v1/namespaces/${ns}/services`])
          for (const { metadata: of, spec = {} } of await itemsOf(path)) found.push({ name: of.name, spec })
        const { unschedulable = false, taints = [] } = await nodeSpec(`node-${ns}`)
        const text = JSON.stringify([...found, { unschedulable, taints: (taints as Json[]).length }])
        return JSON.parse(alike(text, ns).replaceAll(/restartedAt":"[^"]+"/g, 'restartedAt":"once"')) as Json
      }
      const ourState = await state('ours')
      expect(ourState).toEqual(await state('theirs'))
      expect(ourState).toContainEqual(expect.objectContaining({ unschedulable: true }))
    })
  })

  test('an action that found nothing to act on shows nothing', async () => {
    const [counting] = probes(['pod.probes', 'count_pods', { label_selector: 'app=web', ns: 'own' }])
    const steady = { 'steady-state-hypothesis': { title: 'it is well', probes: [{ ...counting, tolerance: 2 }] } }
    const none = actions(
      ['pod.actions', 'terminate_pods', { label_selector: 'app=nobody', ns: 'own' }],
      ['deployment.actions', 'delete_deployment', { name: 'nobody', ns: 'own' }],
      ['actions', 'kill_microservice', { name: 'nobody', ns: 'own' }],
    )
    expect(await run({ ...steady, method: none })).toMatchObject({
      verdict: 'inconclusive',
      because: ['terminate_pods', 'delete_deployment', 'kill_microservice'].map(
        (name) => expect.stringMatching(new RegExp(`^${name} .* found nothing to act on$`)) as string,
      ),
    })
    const some = actions(
      ['node.actions', 'uncordon_node', { name: 'edge' }],
      ['statefulset.actions', 'remove_statefulset', { name: 'spare', ns: 'own' }],
    )
    expect(await run({ ...steady, method: some })).toMatchObject({ verdict: 'pass' })
  })

  test.each(['delete', 'evict'] as const)('to %s a pod tells that very pod, and another of its name lives on', async (by) => {
    const [found] = await podsOf('/namespaces/own')
    const { name = '', uid = '' } = found?.metadata ?? {}
    const then = { namespace: 'own', name, uid: '9b2a3b1e-0f0c-4f0e-8d3e-000000000000' }
    expect(await endPod(cluster, then, by)).toEqual({ outcome: 'gone' })
    expect(await endPod(cluster, { ...then, name: 'nobody' }, by)).toEqual({ outcome: 'gone' })
    expect(await stillLiving(cluster, [{ ...then, uid }])).toHaveLength(1)
  })

  test('a moment in which a pod is missing is seen, however short it is', async () => {
    const victim = (await podsOf('/namespaces/own')).find(({ metadata: of }) => of.labels?.app === 'web')
    const name = victim?.metadata.name ?? ''
    const [waiting] = probes(['deployment.probes', 'deployment_not_fully_available', { name: 'web', ns: 'own', timeout: 20 }])
    const [ending] = actions(['pod.actions', 'terminate_pods', { name_pattern: name, ns: 'own' }])
    const ready = probes(['deployment.probes', 'deployment_fully_available', { name: 'web', ns: 'own' }])
    const method = [{ ...waiting, background: true }, { ...ending, pauses: { before: 2 } }, ...ready]
    const { journal } = await run({ method })
    expect(journal.run.map(({ output }) => output)).toEqual([true, [name], true])
  })

  test('a node with a pod that would be lost is not touched, and a disruption budget holds one up', async () => {
    const drains = actions(
      ['node.actions', 'drain_nodes', { name: 'edge', timeout: 1, delete_pods_with_local_storage: true }],
      ['node.actions', 'drain_nodes', { name: 'far', timeout: 1 }],
    )
    const uncordon = actions(['node.actions', 'uncordon_node', { name: 'far' }])
    const drained = await run({ method: drains, rollbacks: uncordon }, { rollbackStrategy: 'never' })
    expect(drained.journal.run.map(({ exception }) => exception?.[0])).toEqual([
      expect.stringContaining('nothing would start pod alone of edge elsewhere') as string,
      expect.stringContaining('a disruption budget holds up pod held-0') as string,
    ])
    expect(await nodeSpec('edge')).not.toHaveProperty('unschedulable')
    expect(await nodeSpec('far')).toMatchObject({ unschedulable: true })
    const undone = await run({ rollbacks: uncordon }, { rollbackStrategy: 'always' })
    expect(undone.journal.rollbacks).toMatchObject([{ output: ['far'] }])
    expect(await nodeSpec('far')).not.toHaveProperty('unschedulable')
  })

  test('a cluster can be named by an address and a token, and its certificate is verified', async () => {
    const authority = join(folder.path, 'authority.crt')
    await writeFile(authority, kubernetes.certificate)
    vi.stubEnv('KUBECONFIG', join(folder.path, 'none'))
    const [probe] = probes(['namespace.probes', 'namespace_exists', { name: 'shop' }])
    const asking = (scope: string) => ({ ...probe, provider: { ...probe?.provider, secrets: [scope] } })
    const given = { KUBERNETES_HOST: `https://127.0.0.1:${kubernetes.port}`, KUBERNETES_API_KEY: 'admin-token' }
    const secrets = {
      known: { ...given, KUBERNETES_CA_CERT_FILE: authority },
      unknown: given,
      denied: { ...given, KUBERNETES_CA_CERT_FILE: authority, KUBERNETES_API_KEY: 'wrong-token' },
    }
    const { journal } = await run({ secrets, method: Object.keys(secrets).map(asking) })
    expect(journal.run.map(({ output, exception }) => exception?.[0] ?? output)).toEqual([
      true,
      expect.stringContaining('the certificate is not trusted') as string,
      expect.stringMatching(/ApiException: \(401\) .*the credentials are not accepted/) as string,
    ])
    expect(JSON.stringify(journal)).not.toContain('wrong-token')
    vi.stubEnv('KUBECONFIG', await kubernetes.kubeconfig('admin'))
    const other = run({
      secrets: { other: { KUBERNETES_CONTEXT: 'other' } },
      'steady-state-hypothesis': { title: 'it is there', probes: [{ ...asking('other'), tolerance: true }] },
      method: [asking('other')],
    })
    await expect(other).rejects.toMatchObject({
      code: 'experiment-invalid',
      message: expect.stringMatching(
        /^nothing was begun: .*hypothesis\.probes\[0\] asks a cluster, but .* no context other/,
      ) as string,
    })
  })

  test('a microservice of old is killed: its deployment, and a pod', async () => {
    const gone = actions(['actions', 'kill_microservice', { name: 'web', ns: 'own' }])
    expect((await run({ method: gone })).journal.run).toMatchObject([{ status: 'succeeded', output: null }])
    const left = async () => (await podsOf('/namespaces/own')).filter(({ metadata: of }) => of.labels?.app === 'web')
    await expect.poll(left, { timeout: 60_000 }).toEqual([])
  })
})
