import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Catalog } from '../../src/catalog/index.ts'
import { openGuard } from '../../src/chaos/index.ts'
import { faults } from '../../src/faults/index.ts'
import { bound, chaosFolder, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { clusterCatalog } from '../support/kubernetes-actions.ts'
import { startKubelet, type Kubelet } from '../support/kubelet.ts'
import { kubernetesProxy, type KubernetesProxy } from '../support/kubernetes-proxy.ts'
import { startKubernetes, type Kubernetes } from '../support/kubernetes.ts'
import { describeWith } from '../support/peers.ts'
import { undoByHand } from '../support/undo-by-hand.ts'
import { until } from '../support/until.ts'

describeWith('kubernetes', 'faults of a Kubernetes cluster', (program) => {
  let kubernetes: Kubernetes
  let kubelet: Kubelet
  beforeAll(async () => {
    kubernetes = await startKubernetes(program)
    kubelet = await startKubelet(kubernetes)
    await kubernetes.kubectl('create', 'namespace', 'shop')
    await kubernetes.kubectl('create', 'deployment', 'web', '--namespace=shop', '--image=none', '--replicas=4')
    await until('four pods are ready', ready, (count) => count === 4)
  }, 300_000)
  afterAll(async () => {
    await kubelet?.[Symbol.asyncDispose]()
    await kubernetes?.[Symbol.asyncDispose]()
  })

  async function pods(): Promise<string[]> {
    const text = await kubernetes.kubectl('get', 'pods', '--namespace=shop', '--selector=app=web', '--output=name')
    return text.split('\n').filter(Boolean).sort()
  }
  async function ready(): Promise<number> {
    return Number(
      (await kubernetes.kubectl('get', 'deployment/web', '--namespace=shop', '--output=jsonpath={.status.readyReplicas}')) || '0',
    )
  }
  const ofWeb = (path: string) => kubernetes.kubectl('get', 'deployment/web', '--namespace=shop', `--output=jsonpath={${path}}`)
  async function guardOf(folder: string, spare: readonly (readonly [string, string])[] = []) {
    const catalog = await clusterCatalog(kubernetes)
    const directory = join(folder, 'faults')
    return await openGuard({ directory, experiment: 'test', faults, catalog, spare, random: () => 0 }, never)
  }
  async function guardBehind(proxy: KubernetesProxy, folder: string) {
    const { dr } = (await clusterCatalog(kubernetes)).clusters
    const proxied = { ...dr, kubeconfig: { file: await kubernetes.kubeconfig('admin', { port: proxy.port }) } }
    const catalog = { clusters: { dr: proxied } } as unknown as Catalog
    return await openGuard({ directory: join(folder, 'faults'), experiment: 'test', faults, catalog }, never)
  }
  const cordoned = () => kubernetes.kubectl('get', 'node/node-1', '--output=jsonpath={.spec.unschedulable}')
  const target = { cluster: 'dr', namespace: 'shop' }

  test.for(['delete', 'evict'] as const)('of four pods one is ended by %s, and another comes in its place', async (by) => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const before = await pods()
    const fault = await guard.inject(bound('kubernetes.pod-kill', { ...target, selector: 'app=web', by }), 60_000, never)
    expect(fault.targets).toHaveLength(1)
    expect(fault.candidates).toBe(4)
    const [killed = ''] = /web-[\w-]+/.exec(fault.targets[0] ?? '') ?? []
    await expect.poll(pods, { timeout: 60_000 }).not.toContain(`pod/${killed}`)
    await expect.poll(ready, { timeout: 60_000 }).toBe(4)
    expect((await pods()).filter((pod) => before.includes(pod))).toHaveLength(3)
    await fault.end()
  })

  test('what carries an excluded label is never hit: not chosen, and not changed', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path, [['keep', 'yes']])
    const [kept = ''] = await pods()
    await kubernetes.kubectl('label', kept, '--namespace=shop', 'keep=yes')
    const all = bound('kubernetes.pod-kill', { ...target, selector: 'app=web', choose: 'all' })
    const fault = await guard.inject(all, 60_000, never)
    expect(fault.candidates).toBe(3)
    expect(fault.targets.join()).not.toContain(kept.replace('pod/', ''))
    await fault.end()
    await expect.poll(ready, { timeout: 60_000 }).toBe(4)
    expect(await pods()).toContain(kept)
    const cutOff = bound('kubernetes.network-policy', { ...target, labels: { app: 'web' } })
    await expect(guard.inject(cutOff, 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
    await kubernetes.kubectl('label', 'deployment/web', '--namespace=shop', 'keep=yes')
    const scale = bound('kubernetes.scale', { ...target, name: 'web' })
    await expect(guard.inject(scale, 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
    expect(await pods()).toHaveLength(4)
    await kubernetes.kubectl('label', 'deployment/web', '--namespace=shop', 'keep-')
    // Its pods have it, and it itself no longer.
    await kubernetes.kubectl('label', 'deployment/web', '--namespace=shop', 'app-')
    await using byPods = await guardOf(join(folder.path, 'by pods'), [['app', 'web']])
    await expect(byPods.inject(scale, 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
    await kubernetes.kubectl('label', 'deployment/web', '--namespace=shop', 'app=web')
  })

  test('half of the pods are as many as the percentage says, and a selector that fits none is refused', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const half = bound('kubernetes.pod-kill', { ...target, selector: 'app=web', choose: { percent: 50 } })
    expect((await guard.inject(half, 60_000, never)).targets).toHaveLength(2)
    const none = bound('kubernetes.pod-kill', { ...target, selector: 'app=none' })
    await expect(guard.inject(none, 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
    await expect.poll(ready, { timeout: 60_000 }).toBe(4)
  })

  test('a workload scaled to nothing gets its pods back, and a second fault on it is refused', async () => {
    await using folder = await chaosFolder()
    await using other = await chaosFolder()
    await using guard = await guardOf(folder.path)
    await using second = await guardOf(other.path)
    const scale = bound('kubernetes.scale', { ...target, name: 'web' })
    const fault = await guard.inject(scale, 60_000, never)
    await expect.poll(pods, { timeout: 60_000 }).toEqual([])
    const again = second.inject(bound('kubernetes.scale', { ...target, name: 'web', replicas: 1 }), 60_000, never)
    await expect(again).rejects.toMatchObject({ code: 'fault-refused' })
    expect(await ofWeb('.spec.replicas')).toBe('0')
    await fault.end()
    expect(await ofWeb('.spec.replicas')).toBe('4')
    expect(await ofWeb('.metadata.annotations.holdfast\\.dev/fault')).toBe('')
    await expect.poll(ready, { timeout: 60_000 }).toBe(4)
  })

  test('a workload that somebody deletes just before it would be changed is no target', async () => {
    await using folder = await chaosFolder()
    await using proxy = await kubernetesProxy(kubernetes)
    await kubernetes.kubectl('create', 'deployment', 'brief', '--namespace=shop', '--image=none')
    await using guard = await guardBehind(proxy, folder.path)
    const meanwhile = () => kubernetes.kubectl('delete', 'deployment/brief', '--namespace=shop')
    proxy.rule = (call) => (call.startsWith('PATCH ') ? { meanwhile } : undefined)
    const scale = bound('kubernetes.scale', { ...target, name: 'brief', replicas: 0 })
    await expect(guard.inject(scale, 60_000, never)).rejects.toMatchObject({
      code: 'fault-refused',
      message: 'Deployment shop/brief is gone',
    })
  })

  test('pods that somebody deletes just before they would be ended were not ended by the fault', async () => {
    await using folder = await chaosFolder()
    await using proxy = await kubernetesProxy(kubernetes)
    await kubernetes.kubectl('run', 'lone', '--namespace=shop', '--image=none', '--labels=app=lone')
    await using guard = await guardBehind(proxy, folder.path)
    const meanwhile = () => kubernetes.kubectl('delete', 'pod/lone', '--namespace=shop', '--now')
    proxy.rule = (call) => (call.startsWith('DELETE ') ? { meanwhile } : undefined)
    const kill = bound('kubernetes.pod-kill', { ...target, selector: 'app=lone' })
    await expect(guard.inject(kill, 60_000, never)).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'no pod was ended by this: lone had ended before',
    })
  })

  test('what somebody else has set meanwhile stays at the end, and nothing of ours is left', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const node = (path: string) => kubernetes.kubectl('get', 'node/node-1', `--output=jsonpath={${path}}`)
    const cordon = await guard.inject(bound('kubernetes.cordon', { cluster: 'dr', node: 'node-1' }), 60_000, never)
    await kubernetes.kubectl('uncordon', 'node-1')
    expect(await cordon.look(never)).toMatchObject({ state: 'partly' })
    await cordon.end()
    expect(await cordoned()).toBe('')
    expect(await node('.metadata.annotations.holdfast\\.dev/fault')).toBe('')

    const scale = await guard.inject(bound('kubernetes.scale', { ...target, name: 'web', replicas: 1 }), 60_000, never)
    await kubernetes.kubectl('scale', 'deployment/web', '--namespace=shop', '--replicas=3')
    await scale.end()
    expect(await ofWeb('.spec.replicas')).toBe('3')
    expect(await ofWeb('.metadata.annotations.holdfast\\.dev/fault')).toBe('')
    await kubernetes.kubectl('scale', 'deployment/web', '--namespace=shop', '--replicas=4')
    await expect.poll(ready, { timeout: 60_000 }).toBe(4)
  })

  test('a cordoned node is let go again, and one that was cordoned before is refused', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const fault = await guard.inject(bound('kubernetes.cordon', { cluster: 'dr', node: 'node-1' }), 60_000, never)
    expect(await cordoned()).toBe('true')
    await fault.end()
    expect(await cordoned()).toBe('')
    await kubernetes.kubectl('cordon', 'node-1')
    const again = guard.inject(bound('kubernetes.cordon', { cluster: 'dr', node: 'node-1' }), 60_000, never)
    await expect(again).rejects.toMatchObject({ code: 'fault-refused' })
    expect(await cordoned()).toBe('true')
    await kubernetes.kubectl('uncordon', 'node-1')
  })

  test('a drained node has none of its pods any more and takes no new ones, until the end', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const before = await pods()
    const fault = await guard.inject(bound('kubernetes.drain', { cluster: 'dr', node: 'node-1' }), 60_000, never)
    expect(fault.targets).toHaveLength(5)
    // The kubelet of the tests heeds no cordon: the new ones come to the same node, and are not what was evicted.
    await expect.poll(async () => (await pods()).filter((pod) => before.includes(pod)), { timeout: 60_000 }).toEqual([])
    expect(await cordoned()).toBe('true')
    expect(await fault.look(never)).toEqual({ state: 'present' })
    await fault.end()
    expect(await cordoned()).toBe('')
    await expect.poll(ready, { timeout: 60_000 }).toBe(4)
  })

  test('a disruption budget that allows nothing keeps the pods, and the node takes pods again', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const before = await pods()
    await kubernetes.kubectl(
      'create',
      'poddisruptionbudget',
      'web',
      '--namespace=shop',
      '--selector=app=web',
      '--min-available=4',
    )
    const drain = bound('kubernetes.drain', { cluster: 'dr', node: 'node-1', patience: '1s' })
    await expect(guard.inject(drain, 60_000, never)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining('disruption budgets hold up shop/web-') as string,
    })
    const evict = bound('kubernetes.pod-kill', { ...target, selector: 'app=web', by: 'evict' })
    await expect(guard.inject(evict, 60_000, never)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringMatching(/^no pod was ended by this: disruption budgets hold up web-/) as string,
    })
    expect(await pods()).toEqual(before)
    expect(await cordoned()).toBe('')
    await kubernetes.kubectl('delete', 'poddisruptionbudget', 'web', '--namespace=shop')
  })

  test('a node with a pod that nothing would start elsewhere, or with data in it, is not drained', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const drain = (more: object = {}) =>
      guard.inject(bound('kubernetes.drain', { cluster: 'dr', node: 'node-1', ...more }), 60_000, never)
    const node = () => kubernetes.kubectl('get', 'pods', '--namespace=shop', '--output=jsonpath={.items[*].spec.nodeName}')
    await kubernetes.kubectl('run', 'alone', '--namespace=shop', '--image=none')
    await until('it is on the node', node, (names) => names.split(' ').length === 5)
    await expect(drain()).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining('shop/alone: nothing would') as string,
    })
    await kubernetes.kubectl('delete', 'pod', 'alone', '--namespace=shop', '--now')
    const volume = { template: { spec: { volumes: [{ name: 'scratch', emptyDir: {} }] } } }
    await kubernetes.kubectl('patch', 'deployment/web', '--namespace=shop', `--patch=${JSON.stringify({ spec: volume })}`)
    await kubernetes.kubectl('rollout', 'status', 'deployment/web', '--namespace=shop')
    await expect(drain()).rejects.toMatchObject({ code: 'fault-refused', message: expect.stringContaining('emptyDir') as string })
    expect(await cordoned()).toBe('')
    await (await drain({ deleteEmptyDirData: true })).end()
    await expect.poll(ready, { timeout: 60_000 }).toBe(4)
  })

  test('a policy that allows nothing is made for the pods, and is gone at the end', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const params = { ...target, labels: { app: 'web' }, direction: 'in' }
    const fault = await guard.inject(bound('kubernetes.network-policy', params), 60_000, never)
    const policies = () =>
      kubernetes.kubectl(
        'get',
        'networkpolicy',
        '--namespace=shop',
        '--output=jsonpath={.items[*].metadata.name} {.items[*].spec.policyTypes}',
      )
    expect((await policies()).trim()).toBe(`holdfast-${fault.id} ["Ingress"]`)
    await fault.end()
    expect((await policies()).trim()).toBe('')
  })

  test.for([
    ['kubernetes.cordon', { cluster: 'dr', node: 'node-1' }],
    ['kubernetes.drain', { cluster: 'dr', node: 'node-1', deleteEmptyDirData: true }],
    ['kubernetes.scale', { ...target, name: 'web' }],
    ['kubernetes.network-policy', { ...target, labels: { app: 'web' } }],
  ] as const)('the commands for people take %s back', async ([kind, params]) => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const fault = await guard.inject(bound(kind, params), 60_000, never)
    await undoByHand(folder.path, fault, kubernetes.bin)
    expect(await fault.look(never)).toEqual({ state: 'absent' })
    await expect.poll(ready, { timeout: 60_000 }).toBe(4)
  })

  test('at its deadline a workload is scaled back by the watchdog, from the record alone', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    const fault = await guard.inject(bound('kubernetes.scale', { ...target, name: 'web', replicas: 1 }), 20_000, never)
    await expect.poll(() => fault.expired.aborted, { timeout: 60_000 }).toBe(true)
    expect(await ofWeb('.spec.replicas')).toBe('4')
  })

  // Each loads the client three times, which takes seconds: what all faults share is tried at every step with the others.
  describe('an experiment that is killed leaves nothing after', () => {
    let catalog: string
    const options = () => ({ catalog, at: ['injecting', 'did-inject', 'hold'] as const })
    beforeAll(async () => {
      const { dr } = (await clusterCatalog(kubernetes)).clusters
      catalog = join(kubernetes.folder, 'chaos.yaml')
      const clusters = { dr: { id: dr?.id, context: dr?.context, kubeconfig: dr?.kubeconfig } }
      await writeFile(catalog, JSON.stringify({ version: 1, name: 'shop', sites: {}, services: {}, clusters }))
    })

    test('kubernetes.scale', { timeout: 600_000 }, async () => {
      await expectNothingLeft(
        'kubernetes.scale',
        { ...target, name: 'web' },
        async (after) => {
          expect(await ofWeb('.spec.replicas'), after).toBe('4')
          expect(await ofWeb('.metadata.annotations.holdfast\\.dev/fault'), after).toBe('')
        },
        options(),
      )
    })

    test('kubernetes.cordon', { timeout: 600_000 }, async () => {
      const node = (path: string) => kubernetes.kubectl('get', 'node/node-1', `--output=jsonpath={${path}}`)
      await expectNothingLeft(
        'kubernetes.cordon',
        { cluster: 'dr', node: 'node-1' },
        async (after) => expect(await node('.spec.unschedulable'), after).toBe(''),
        options(),
      )
    })

    test('kubernetes.drain', { timeout: 600_000 }, async () => {
      const node = (path: string) => kubernetes.kubectl('get', 'node/node-1', `--output=jsonpath={${path}}`)
      await expectNothingLeft(
        'kubernetes.drain',
        { cluster: 'dr', node: 'node-1', deleteEmptyDirData: true },
        async (after) => {
          expect(await node('.spec.unschedulable'), after).toBe('')
          await expect.poll(ready, { timeout: 60_000 }).toBe(4)
        },
        options(),
      )
    })

    test('kubernetes.network-policy', { timeout: 600_000 }, async () => {
      await expectNothingLeft(
        'kubernetes.network-policy',
        { ...target, labels: { app: 'web' }, direction: 'in' },
        async (after) => {
          expect(await kubernetes.kubectl('get', 'networkpolicy', '--namespace=shop', '--output=name'), after).toBe('')
        },
        options(),
      )
    })
  })
})
