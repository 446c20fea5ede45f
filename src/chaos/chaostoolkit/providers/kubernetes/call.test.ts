import { readFile } from 'node:fs/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { checkExperiment } from '../../check.ts'
import type { ApiRequest } from '../../../../clusters/index.ts'
import { isHoldfastError, type HoldfastError, type Json } from '../../../../kernel/index.ts'
import type { PythonProvider } from '../../places.ts'
import { kubernetesProblem, nativeFunction, playKubernetes } from './call.ts'
import { nativeModules } from './functions.ts'
import { createNetworkPolicy } from './network-policies.ts'
import { optionalText, selector } from './parameters.ts'
import { secondsOf } from './pod-logs.ts'

afterEach(() => vi.unstubAllEnvs())

const never = new AbortController().signal

async function refusalOf(module: string, func: string, args: Json, options = {}): Promise<HoldfastError | undefined> {
  const provider = { type: 'python', module: `chaosk8s.${module}`, func, arguments: args }
  const experiment = { title: 't', description: 'd', method: [{ type: 'action', name: 'a', provider }] }
  try {
    await checkExperiment(experiment, options, never)
    return undefined
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
}

async function problemOf(module: string, func: string, args: Json, options = {}): Promise<string | undefined> {
  return (await refusalOf(module, func, args, options))?.message
}

test.each<[string, string, Json]>([
  ['pod.actions', 'terminate_pods', {}],
  ['pod.actions', 'terminate_pods', { label_selector: 'app=web', qty: '${how_many}', all: '$all' }],
  ['pod.probes', 'count_pods', { label_selector: null }],
  ['deployment.probes', 'deployment_fully_available', { name: 'web', timeout: '30' }],
  ['probes', 'all_microservices_healthy', { ns: 'shop' }],
])('a function of chaosk8s needs no Python: %s.%s', async (module, func, args) => {
  vi.stubEnv('PATH', '/nowhere')
  expect(await problemOf(module, func, args)).toBeUndefined()
  expect(await problemOf(module, func, args, { pythonOnly: true })).toContain('python3 is not in PATH')
})

test.each<[string, string, Json, string]>([
  ['pod.actions', 'terminate_pods', { selector: 'app=web' }, 'it takes no argument selector'],
  ['pod.probes', 'count_pods', {}, 'it needs the argument label_selector'],
  ['pod.actions', 'terminate_pods', { all: 'false' }, 'its argument all must be true or false'],
  [
    'pod.actions',
    'terminate_pods',
    { qty: 1.5, '${x}': 1 },
    'its argument qty must be a whole number, it takes no argument ${x}',
  ],
  ['deployment.actions', 'scale_deployment', { name: 'web' }, 'it needs the argument replicas'],
  [
    'deployment.probes',
    'deployment_fully_available',
    { name: 'web', timeout: 'long' },
    'its argument timeout must be a number of seconds',
  ],
  ['probes', 'all_microservices_healthy', { raise_on_any_unhealthy: false }, 'it takes no argument raise_on_any_unhealthy'],
  ['probes', 'all_microservices_healthy', { secrets: {} }, 'it takes no argument secrets'],
  ...['', '.', '..', '../..'].map(
    (name) =>
      ['secret.actions', 'delete_secret', { name }, 'its argument name must be the name of an object'] as [
        string,
        string,
        Json,
        string,
      ],
  ),
  ['actions', 'kill_microservice', { name: '' }, 'its argument name must be the name of an object'],
  ['secret.probes', 'secret_exists', { name: '' }, 'its argument name must be the name of an object'],
  ['namespace.probes', 'namespace_exists', { name: '' }, 'its argument name must be the name of an object'],
  ['service.actions', 'delete_service', { name: 'web', ns: '..' }, 'its argument ns must be the name of a namespace'],
])('what a function does not take is refused before anything is begun: %s.%s %j', async (module, func, args, problem) => {
  const said = `nothing was begun: method[0] cannot be called: chaosk8s.${module}.${func}: ${problem}`
  expect(await problemOf(module, func, args)).toBe(said)
})

const orAll = (argument: string, what: string) => ({
  [argument]: `its argument ${argument} must be ${what}, or left out for all`,
})
const byName = orAll('name', 'the name of an object')
const byLabels = orAll('label_selector', 'a selector of labels')
const byNameOrLabels = { ...byName, ...byLabels }
const cutOff = orAll('label_selectors', 'labels')

/** Arguments by which a function would choose all of a kind if they were null or nothing. */
const choosing: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'pod.actions.terminate_pods': { ...byLabels, ...orAll('name_pattern', 'a pattern of names of pods') },
  'pod.actions.delete_pods': { ...byLabels, ...orAll('name', 'a pattern of names of pods') },
  'deployment.actions.delete_deployment': byNameOrLabels,
  'statefulset.actions.remove_statefulset': byNameOrLabels,
  'daemonset.actions.delete_daemon_set': byNameOrLabels,
  'replicaset.actions.delete_replica_set': byNameOrLabels,
  'node.actions.cordon_node': byNameOrLabels,
  'node.actions.uncordon_node': byNameOrLabels,
  'node.actions.drain_nodes': {
    ...byNameOrLabels,
    ...orAll('count', 'a whole number'),
    ...orAll('pod_label_selector', 'a selector of labels'),
    ...orAll('pod_namespace', 'the name of an object'),
  },
  'networking.actions.deny_all_ingress': cutOff,
  'networking.actions.deny_all_egress': cutOff,
  'networking.actions.allow_dns_access': cutOff,
  'actions.kill_microservice': { label_selector: 'its argument label_selector must be a selector of labels' },
}

test.each(Object.entries(choosing))('null and nothing are not all to %s, which an argument that is left out is', (path, said) => {
  const [, module = '', func = ''] = /^(.*)\.(\w+)$/.exec(path) ?? []
  const problemWith = (more: Record<string, Json>) => {
    const given = { ...(func === 'kill_microservice' ? { name: 'web' } : {}), ...more }
    const provider: PythonProvider = { type: 'python', module: `chaosk8s.${module}`, func, arguments: given }
    const native = nativeFunction(provider, {})
    if (native === undefined) throw new Error(`there is no ${path}`)
    return kubernetesProblem(provider, native)
  }
  expect(problemWith({})).toBeUndefined()
  for (const [argument, problem] of Object.entries(said)) {
    for (const nothing of argument === 'label_selectors' ? [null, '', {}] : [null, '', ' ']) {
      expect(problemWith({ [argument]: nothing })).toBe(`chaosk8s.${path}: ${problem}`)
    }
  }
})

test('a variable that makes no name of a name is refused before a cluster is asked', async () => {
  const provider = (func: string, args: Record<string, Json>): PythonProvider => ({
    type: 'python',
    module: 'chaosk8s.actions',
    func,
    arguments: args,
  })
  for (const [func, args, said] of [
    ['kill_microservice', { name: '${gone}' }, 'its argument name must be the name of an object'],
    ['delete_deployment', { name: '${gone}' }, 'its argument name must be the name of an object, or left out for all'],
    ['delete_deployment', { label_selector: '$none' }, 'its argument label_selector must be a selector of labels'],
    ['delete_service', { name: 'web', ns: '${up}' }, 'its argument ns must be the name of a namespace'],
  ] as const) {
    const asked = provider(func, args)
    const native = nativeFunction(asked, {})
    if (native === undefined) throw new Error(`there is no ${func}`)
    expect(kubernetesProblem(asked, native)).toBeUndefined()
    const variables = { configuration: { gone: '', none: null, up: '..' }, secrets: {} }
    await expect(playKubernetes(asked, native, variables, never)).rejects.toThrow(said)
  }
})

test('what to do next is of Python only where Python was asked', async () => {
  vi.stubEnv('PATH', '/nowhere')
  expect((await refusalOf('pod.probes', 'count_pods', {}))?.hint).toBe(
    'correct the experiment; functions of chaosk8s take the arguments that they have in chaostoolkit-kubernetes 0.39',
  )
  expect((await refusalOf('pod.actions', 'exec_in_pods', {}))?.hint).toBe(
    'correct the experiment; python modules must be importable by the python3 in PATH',
  )
})

test('the empty text is none', () => {
  expect(optionalText.parse('')).toBeNull()
  expect(selector.parse('')).toBeNull()
  expect(optionalText.parse(undefined)).toBeNull()
  expect(nativeModules['chaosk8s.pod.probes']?.count_min_pods?.parameters.parse({ label_selector: '', phase: '' })).toMatchObject(
    {
      label_selector: null,
      phase: null,
    },
  )
  expect(nativeModules['chaosk8s.pod.probes']?.count_min_pods?.parameters.parse({ label_selector: null })).toMatchObject({
    phase: 'Running',
  })
})

test('a policy of a file that is not there is not made of something else, nor of nothing', async () => {
  const cluster = { server: '', send: asked, text: asked, [Symbol.asyncDispose]: async () => {} }
  const create = (args: Json) => createNetworkPolicy.play(args, async () => cluster, never)
  await expect(create({ spec: {}, spec_path: '/nowhere/policy.yaml' })).rejects.toThrow('there is no file /nowhere/policy.yaml')
  await expect(create({ spec_path: '' })).rejects.toThrow('neither spec nor spec_path is given')
})

async function asked({ what }: ApiRequest): Promise<never> {
  throw new Error(`a cluster was asked to ${what}`)
}

test('a function that only the package has is left to Python, and named where there is none', async () => {
  vi.stubEnv('PATH', '/nowhere')
  expect(await problemOf('pod.actions', 'exec_in_pods', { cmd: 'true' })).toBe(
    'nothing was begun: method[0] cannot be called: python3 is not in PATH (Holdfast itself has no chaosk8s.pod.actions.exec_in_pods)',
  )
})

test.each([
  ['10 minutes', 600],
  ['1 hour, 30 min ago', 5400],
  ['90s', 90],
  ['2d 1h', 176_400],
])('logs of the last %s are of %i seconds', (last, seconds) => {
  expect(secondsOf(last)).toBe(seconds)
})

test.each(['yesterday', '10', '', 'in 5 fortnights', '5 minutes and more'])('%j is no span of time', (last) => {
  expect(() => secondsOf(last)).toThrow('no span of time')
})

const documentation = readFile('docs/chaostoolkit.md', 'utf8')

test('the documentation names every function, and no other', async () => {
  const rows = [...(await documentation).matchAll(/^- `(chaosk8s\.[\w.]+)`: (.*(?:\n {2}.*)*)/gm)]
  const documented = rows.map(([, module = '', functions = '']) => [
    module,
    [...functions.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  ])
  const actual = Object.entries(nativeModules).map(([module, functions]) => [module, Object.keys(functions)])
  expect(documented).toEqual(actual)
})

test('the example of the documentation can be run', async () => {
  const [, text = ''] = /^```json\n(.*?)^```/ms.exec(await documentation) ?? []
  await expect(checkExperiment(JSON.parse(text) as Json, {}, never)).resolves.toMatchObject({
    title: 'The shop survives the loss of a pod',
  })
})
