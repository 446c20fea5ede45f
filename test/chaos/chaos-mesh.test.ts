import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openGuard } from '../../src/chaos/index.ts'
import { faults } from '../../src/faults/index.ts'
import { bound, chaosFolder, never } from '../support/chaos.ts'
import { startChaosController, type ChaosController } from '../support/chaos-mesh.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { clusterCatalog } from '../support/kubernetes-actions.ts'
import { startKubernetes, type Kubernetes } from '../support/kubernetes.ts'
import { describeWith } from '../support/peers.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

/** A real API server with the real definitions. What sets the conditions is a stand-in: see ChaosController. */
describeWith('kubernetes', 'objects of Chaos Mesh', (program) => {
  let kubernetes: Kubernetes
  beforeAll(async () => {
    kubernetes = await startKubernetes(program)
    await kubernetes.kubectl('create', 'namespace', 'shop')
    const container = { name: 'web', image: 'none' }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } } }
    await kubernetes.apply({ ...pod, spec: { containers: [container] } })
  }, 300_000)
  afterAll(async () => {
    await kubernetes?.[Symbol.asyncDispose]()
  })

  async function guardOf(folder: string, spare: readonly (readonly [string, string])[] = []) {
    const catalog = await clusterCatalog(kubernetes)
    return await openGuard({ directory: join(folder, 'faults'), experiment: 'test', faults, catalog, spare }, never)
  }
  const delay = { action: 'delay', mode: 'all', delay: { latency: '200ms', jitter: '50ms' } }
  const selector = { namespaces: ['shop'], labelSelectors: { app: 'web' } }
  const slow = { cluster: 'dr', namespace: 'shop', kind: 'NetworkChaos', spec: { ...delay, selector } }
  const chaos = (params: object = {}) => bound('kubernetes.chaos-mesh', { ...slow, ...params })
  const all = () => kubernetes.kubectl('get', 'networkchaos', '--namespace=shop', '--output=name')
  const ofIt = (path: string) =>
    kubernetes.kubectl('get', 'networkchaos', '--namespace=shop', `--output=jsonpath={.items[0]${path}}`)

  test('where Chaos Mesh is not installed nothing is tried', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardOf(folder.path)
    await expect(guard.inject(chaos(), 60_000, never)).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining('does not know chaos-mesh.org/v1alpha1') as string,
    })
  })

  describeWith('chaos-mesh', 'with its definitions', (definitions) => {
    let controller: ChaosController
    beforeAll(async () => {
      for (const kind of ['networkchaos', 'podchaos', 'podnetworkchaos', 'physicalmachinechaos', 'iochaos'])
        await kubernetes.kubectl('create', `--filename=${join(definitions, `chaos-mesh.org_${kind}.yaml`)}`)
      await kubernetes.kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s')
      controller = await startChaosController(kubernetes, 'shop', 'networkchaos')
    }, 300_000)
    afterAll(async () => {
      await controller?.[Symbol.asyncDispose]()
    })

    test('an object is made, hits what it selects, and is gone at the end, once nothing holds it', async () => {
      await using folder = await chaosFolder()
      await using guard = await guardOf(folder.path, [
        ['chaos', 'never'],
        ['tier', 'core'],
      ])
      const fault = await guard.inject(chaos(), 60_000, never)
      expect(fault.targets).toEqual(['NetworkChaos in shop of dr: delay of all that its selector means'])
      expect(await all()).toBe(`networkchaos.chaos-mesh.org/holdfast-${fault.id}`)
      const notIn = (key: string, value: string) => ({ key, operator: 'NotIn', values: [value] })
      const sparing = { ...selector, expressionSelectors: [notIn('chaos', 'never'), notIn('tier', 'core')] }
      expect(JSON.parse(await ofIt('.spec'))).toMatchObject({
        ...delay,
        selector: sparing,
        duration: expect.stringMatching(/^(5\d|60)s$/) as string,
      })
      expect(await fault.look(never)).toEqual({ state: 'present' })

      controller.isStuck = true
      const ending = fault.end()
      try {
        await expect.poll(() => ofIt('.metadata.deletionTimestamp')).not.toBe('')
        const held = { state: 'partly', because: expect.stringContaining('has not taken everything back') as string }
        expect(await fault.look(never)).toMatchObject(held)
      } finally {
        controller.isStuck = false
      }
      await ending
      expect(await all()).toBe('')
      expect(await fault.look(never)).toEqual({ state: 'absent' })
    })

    test('at its own end it is over, also when nobody deletes it', async () => {
      await using folder = await chaosFolder()
      await using guard = await guardOf(folder.path)
      const fault = await guard.inject(chaos({ spec: { ...slow.spec, duration: '3s' } }), 60_000, never)
      await expect
        .poll(() => fault.look(never), { timeout: 20_000 })
        .toMatchObject({
          state: 'over',
          because: expect.stringMatching(/^the duration of .* is over$/) as string,
        })
      await fault.end()
      expect(await all()).toBe('')
    })

    test('its own end does not come after that of the fault', async () => {
      await using folder = await chaosFolder()
      await using guard = await guardOf(folder.path)
      const fault = await guard.inject(chaos({ spec: { ...slow.spec, duration: '1h30m' } }), 60_000, never)
      expect(await ofIt('.spec.duration')).toMatch(/^(5\d|60)s$/)
      await fault.end()
      const none = guard.inject(chaos({ spec: { ...slow.spec, duration: 'ever' } }), 60_000, never)
      await expect(none).rejects.toMatchObject({ message: expect.stringContaining('"ever" is no duration') as string })
    })

    test('one that somebody deletes while it is injected is no fault', async () => {
      await using folder = await chaosFolder()
      await using guard = await guardOf(folder.path)
      const none = { ...delay, selector: { namespaces: ['shop'], labelSelectors: { app: 'none' } } }
      const injecting = guard.inject(chaos({ spec: none }), 60_000, never)
      injecting.catch(() => {})
      await expect.poll(all).not.toBe('')
      await kubernetes.kubectl('delete', 'networkchaos', '--namespace=shop', '--all')
      await expect(injecting).rejects.toMatchObject({
        code: 'fault-failed',
        message: expect.stringMatching(/^somebody has deleted NetworkChaos shop\/holdfast-/) as string,
      })
    })

    test('what selects nothing is no fault, and is gone', { timeout: 60_000 }, async () => {
      await using folder = await chaosFolder()
      await using guard = await guardOf(folder.path)
      const none = { ...delay, selector: { namespaces: ['shop'], labelSelectors: { app: 'none' } } }
      await expect(guard.inject(chaos({ spec: none }), 60_000, never)).rejects.toMatchObject({
        code: 'fault-failed',
        message: expect.stringContaining('selects nothing') as string,
      })
      expect(await all()).toBe('')
    })

    test('what its definition, an exclusion or the lack of an end forbids is refused before it is made', async () => {
      await using folder = await chaosFolder()
      await using guard = await guardOf(folder.path)
      await using sparing = await guardOf(join(folder.path, 'sparing'), [['chaos', 'never']])
      const refused = async (params: object, message: string, by = guard) =>
        await expect(by.inject(chaos(params), 60_000, never)).rejects.toMatchObject({
          code: 'fault-refused',
          message: expect.stringContaining(message) as string,
        })
      await refused({ spec: { ...slow.spec, action: 'no-such-action' } }, 'no-such-action')
      await refused({ kind: 'TimeChaos' }, 'has no TimeChaos')
      await refused({ kind: 'PodNetworkChaos' }, 'has no PodNetworkChaos')
      await refused({ kind: 'PodChaos', spec: { action: 'pod-kill', mode: 'one', selector } }, 'pod-kill is done once')
      const mistake = { action: 'mistake', mode: 'one', selector, volumePath: '/data', methods: ['READ', 'WRITE'] }
      await refused({ kind: 'IOChaos', spec: mistake }, 'what is written, which stays wrong')
      await refused({ kind: 'PhysicalMachineChaos', spec: { action: 'process' } }, 'machines outside of the cluster')
      const byName = { ...delay, selector: { pods: { shop: ['web'] } } }
      await refused({ spec: byName }, 'names pods one by one', sparing)
      await refused(
        { spec: { ...slow.spec, target: { mode: 'all', selector: byName.selector } } },
        'names pods one by one',
        sparing,
      )
      expect(await all()).toBe('')
    })

    test('the command for people deletes it', async () => {
      await using folder = await chaosFolder()
      await using guard = await guardOf(folder.path)
      const fault = await guard.inject(chaos(), 60_000, never)
      await undoByHand(folder.path, fault, kubernetes.bin)
      expect(await fault.look(never)).toEqual({ state: 'absent' })
    })

    test('an experiment that is killed leaves no object', { timeout: 600_000 }, async () => {
      const { dr } = (await clusterCatalog(kubernetes)).clusters
      const catalog = join(kubernetes.folder, 'chaos.yaml')
      const clusters = { dr: { id: dr?.id, context: dr?.context, kubeconfig: dr?.kubeconfig } }
      await writeFile(catalog, JSON.stringify({ version: 1, name: 'shop', sites: {}, services: {}, clusters }))
      await expectNothingLeft(
        'kubernetes.chaos-mesh',
        slow,
        async (after) => {
          expect(await all(), after).toBe('')
        },
        { catalog, at: ['injecting', 'did-inject', 'hold'] },
      )
    })
  })
})
