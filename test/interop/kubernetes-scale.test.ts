import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ClusterEntry } from '../../src/catalog/index.ts'
import { deployment, statefulSet } from '../support/kubernetes-objects.ts'
import { startKubernetesWorld, type KubernetesWorld } from '../support/kubernetes-world.ts'
import type { Kubernetes } from '../support/kubernetes.ts'
import { describeWith } from '../support/peers.ts'
import { until } from '../support/until.ts'

let world: KubernetesWorld

const scale = (name: string, replicas: number, more: object = {}) =>
  world.bench.step('kubernetes.scale', { cluster: 'dr', namespace: 'default', deployment: name, replicas, ...more })

const replicasOf = async (name: string) =>
  Number(await world.kubernetes.kubectl('get', name, '--output=jsonpath={.spec.replicas}'))

const podsOf = async (app: string) =>
  (await world.kubernetes.kubectl('get', 'pods', `--selector=app=${app}`, '--output=name')).split('\n').filter(Boolean)

describeWith('kubernetes', 'kubernetes.scale against a real control plane', (program) => {
  beforeAll(async () => {
    world = await startKubernetesWorld(program, otherClusters)
  })
  beforeEach(() => world.calm())
  afterAll(() => world[Symbol.asyncDispose]())

  test('a deployment is scaled up until its pods are available, and the undo sets back what it had', async () => {
    await world.kubernetes.apply(deployment('web', { replicas: 1 }))
    const step = scale('web', 3)
    expect(await step.preflight()).toEqual([])
    expect(await step.probe()).toEqual({ state: 'not-done' })
    expect(await step.run()).toEqual({ replicas: 3, previous: 1 })
    expect(await world.kubernetes.kubectl('get', 'deployment/web', '--output=jsonpath={.status.availableReplicas}')).toBe('3')
    expect(await step.probe('interrupted')).toEqual({ state: 'done', output: { replicas: 3, previous: 1 } })
    await step.undo()
    await step.undo()
    expect(await replicasOf('deployment/web')).toBe(1)
    expect(await podsOf('web')).toHaveLength(1)
  })

  test('it is not done while a pod of what was scaled to nothing still runs, though the status no longer counts it', async () => {
    await world.kubernetes.apply(deployment('db', { replicas: 2 }))
    const available = () => world.kubernetes.kubectl('get', 'deployment/db', '--output=jsonpath={.status.availableReplicas}')
    await until('both run', available, (replicas) => replicas === '2')
    world.kubelet.keepsRunning = ({ metadata }) => metadata?.labels?.app === 'db'
    const step = scale('db', 0)
    const stopping = new AbortController()
    const running = step.run(stopping.signal)
    const standing = '2 pods of Deployment default/db still there, 0 wanted'
    await until(
      'that is what it waits for',
      () => Promise.resolve(world.said.at(-1)),
      (text) => text === standing,
    )
    expect(await world.kubernetes.kubectl('get', 'deployment/db', '--output=jsonpath={.status.replicas}')).toBe('')
    stopping.abort()
    await expect(running).rejects.toMatchObject({ code: 'timed-out', message: standing })
    expect(await step.probe('interrupted')).toEqual({ state: 'not-done', left: true })
    world.kubelet.keepsRunning = () => false
    await step.run()
    expect(await podsOf('db')).toEqual([])
    expect(await step.probe('failed')).toMatchObject({ state: 'done', output: { previous: 2 } })
  })

  test('a stateful set is scaled, one pod after the other', async () => {
    await world.kubernetes.apply(statefulSet('log', { replicas: 1 }))
    const step = scale('log', 3, { deployment: undefined, statefulSet: 'log' })
    expect(await step.run()).toEqual({ replicas: 3, previous: 1 })
    expect(await podsOf('log')).toEqual(['pod/log-0', 'pod/log-1', 'pod/log-2'])
    await step.undo()
    expect(await podsOf('log')).toEqual(['pod/log-0'])
  })

  test('what somebody else has set meanwhile is left alone, by the step and by its undo', async () => {
    await world.kubernetes.apply(deployment('shared', { replicas: 1 }))
    const step = scale('shared', 2)
    await step.run()
    await world.kubernetes.kubectl('scale', 'deployment/shared', '--replicas=5')
    await expect(step.undo()).rejects.toMatchObject({
      code: 'identity-mismatch',
      message: expect.stringContaining('5 replicas') as string,
    })
    expect(await step.probe('interrupted')).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('neither 1') as string,
    })
    // Between the step's look and its change.
    world.proxy.rule = (call) =>
      call.startsWith('PATCH ')
        ? { meanwhile: () => world.kubernetes.kubectl('scale', 'deployment/shared', '--replicas=4') }
        : undefined
    await expect(scale('shared', 3, { cluster: 'proxied' }).run()).rejects.toMatchObject({ code: 'identity-mismatch' })
    expect(await replicasOf('deployment/shared')).toBe(4)
  })

  test('one that was deleted and made anew is not the one that was scaled', async () => {
    await world.kubernetes.apply(deployment('again', { replicas: 1 }))
    const step = scale('again', 2)
    await step.run()
    await world.kubernetes.kubectl('delete', 'deployment/again')
    await world.kubernetes.apply(deployment('again', { replicas: 2 }))
    await expect(step.undo()).rejects.toMatchObject({ code: 'identity-mismatch' })
    expect(await step.probe('interrupted')).toMatchObject({ state: 'unknown' })
    expect(await replicasOf('deployment/again')).toBe(2)
  })

  test.each(['request', 'answer'] as const)('a change whose %s is lost is unknown, and the probe settles it', async (loses) => {
    await world.kubernetes.apply(deployment(`lost-${loses}`, { replicas: 1 }))
    const step = scale(`lost-${loses}`, 2, { cluster: 'proxied' })
    world.proxy.rule = (call) => (call.startsWith('PATCH ') ? { loses } : undefined)
    await expect(step.run()).rejects.toMatchObject({ code: 'outcome-unknown', retryable: true })
    expect(await replicasOf(`deployment/lost-${loses}`)).toBe(loses === 'request' ? 1 : 2)
    world.proxy.rule = () => undefined
    const probed = await step.probe('interrupted')
    expect(loses === 'request' ? ['not-done'] : ['not-done', 'done']).toContain(probed.state)
    expect('left' in probed).toBe(loses === 'answer' && probed.state === 'not-done')
    expect(await step.run()).toEqual({ replicas: 2, previous: 1 })
    await step.undo()
    expect(await replicasOf(`deployment/lost-${loses}`)).toBe(1)
  })

  test('a cluster that does not answer for a while is waited for', async () => {
    await world.kubernetes.apply(deployment('patient', { replicas: 1 }))
    let lost = 0
    world.proxy.rule = (call) =>
      lost < 3 && call.startsWith('GET ') && world.proxy.calls.some((one) => one.startsWith('PATCH ')) && ++lost > 0
        ? { loses: 'answer' }
        : undefined
    expect(await scale('patient', 2, { cluster: 'proxied' }).run()).toEqual({ replicas: 2, previous: 1 })
    expect(lost).toBe(3)
  })

  test('another cluster than the catalog pins is not touched', async () => {
    await world.kubernetes.apply(deployment('pinned', { replicas: 1 }))
    const step = scale('pinned', 0, { cluster: 'mistaken' })
    for (const act of [() => step.preflight(), () => step.probe('interrupted'), () => step.run()])
      await expect(act()).rejects.toMatchObject({
        code: 'identity-mismatch',
        message: expect.stringContaining('not to mistaken') as string,
      })
    expect(await replicasOf('deployment/pinned')).toBe(1)
    expect(await scale('pinned', 0, { cluster: 'unpinned' }).preflight()).toMatchObject([
      { severity: 'warning', code: 'cluster-not-pinned', hint: expect.stringMatching(/add `id: [0-9a-f-]{36}`/) as string },
    ])
  })

  test('what is forbidden is found before the plan begins, each with the verb that a role must have', async () => {
    await world.kubernetes.apply(deployment('guarded', { replicas: 1 }))
    const step = scale('guarded', 2, { cluster: 'limited' })
    await expect(step.preflight()).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining('kube-system') as string,
    })
    await world.kubernetes.kubectl(
      'create',
      'clusterrole',
      'reads-identity',
      '--verb=get',
      '--resource=namespaces',
      '--resource-name=kube-system',
    )
    await world.kubernetes.kubectl(
      'create',
      'clusterrolebinding',
      'reads-identity',
      '--clusterrole=reads-identity',
      '--user=limited',
    )
    expect(await step.preflight()).toMatchObject([
      {
        severity: 'blocker',
        code: 'permission-denied',
        message: expect.stringContaining('get deployments.apps in default') as string,
      },
      { severity: 'blocker', code: 'permission-denied', hint: expect.stringContaining('the verb patch') as string },
      { severity: 'blocker', code: 'permission-denied', message: expect.stringContaining('list pods in default') as string },
    ])
    await world.kubernetes.kubectl('create', 'role', 'scales', '--verb=get,patch', '--resource=deployments.apps')
    await world.kubernetes.kubectl('create', 'role', 'lists', '--verb=list', '--resource=pods')
    for (const role of ['scales', 'lists'])
      await world.kubernetes.kubectl('create', 'rolebinding', role, `--role=${role}`, '--user=limited')
    await until(
      'the role counts',
      () => step.preflight(),
      (findings) => findings.length === 0,
    )
    expect(await step.run()).toEqual({ replicas: 2, previous: 1 })
  })

  test.each([
    ['nobody', 'permission-denied', /credentials are not accepted/],
    ['untrusted', 'command-failed', /certificate is not trusted/],
    ['expired', 'secret-unavailable', /no token for you/],
    ['impersonated', 'usage', /'as-groups'/],
    ['gone', 'command-failed', /cannot be reached/],
    ['astray', 'not-found', /no context other/],
    ['empty', 'secret-unavailable', /is none/],
    ['nowhere', 'not-found', /no cluster 'nowhere'/],
  ])('the cluster %s ends with %s, and a hint', async (cluster, code, message) => {
    const error: unknown = await scale('web', 2, { cluster })
      .preflight()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string, hint: expect.any(String) as string })
  })

  test('an autoscaler that would set another number is a warning', async () => {
    await world.kubernetes.apply(deployment('elastic'), deployment('rigid'))
    await world.kubernetes.kubectl('autoscale', 'deployment/elastic', '--min=2', '--max=5', '--cpu=50%')
    expect(await scale('elastic', 3).preflight()).toMatchObject([
      { severity: 'warning', code: 'autoscaled', message: expect.stringContaining('between 2 and 5') as string },
    ])
    expect(await scale('elastic', 0).preflight()).toEqual([])
    expect(await scale('rigid', 3).preflight()).toEqual([])
  })

  test('a user whose token a command of the kubeconfig gets', async () => {
    await world.kubernetes.apply(deployment('by-command'))
    expect(await scale('by-command', 2, { cluster: 'by-command' }).run()).toEqual({ replicas: 2, previous: 1 })
  })

  test('what does not exist is found before the plan begins', async () => {
    await expect(scale('absent', 2).preflight()).rejects.toMatchObject({
      code: 'not-found',
      message: 'there is no Deployment default/absent',
    })
  })
})

/** Clusters that are not what they should be, and users that are known in other ways. */
async function otherClusters(kubernetes: Kubernetes, dr: ClusterEntry): Promise<Readonly<Record<string, ClusterEntry>>> {
  const at = async (name: string, user: object, cluster: object = {}) => {
    const path = await kubernetes.kubeconfigOf(name, user, cluster)
    return [name, { ...dr, name, kubeconfig: { file: path } }] as const
  }
  const byCommand = (command: string) => ({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never', command: 'sh', args: ['-c', command] },
  })
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'admin-token' } }
  return {
    unpinned: { name: 'unpinned', kubeconfig: dr.kubeconfig },
    mistaken: { ...dr, name: 'mistaken', id: '00000000-0000-4000-8000-000000000000' },
    nobody: { ...dr, name: 'nobody', kubeconfig: { file: await kubernetes.kubeconfig('nobody') } },
    gone: { ...dr, name: 'gone', kubeconfig: { file: await kubernetes.kubeconfig('admin', { port: 1 }) } },
    astray: { ...dr, name: 'astray', context: 'other' },
    empty: { ...dr, name: 'empty', kubeconfig: { command: ['echo', '/etc/kubeconfig'] } },
    ...Object.fromEntries([
      await at('untrusted', { token: 'admin-token' }, { 'certificate-authority': undefined }),
      await at('expired', byCommand('echo no token for you >&2; exit 1')),
      await at('impersonated', { token: 'admin-token', as: 'limited', 'as-groups': ['nobodies'] }),
      await at('by-command', byCommand(`echo '${JSON.stringify(credential)}'`)),
    ]),
  }
}
