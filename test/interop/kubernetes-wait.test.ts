import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { configMap, deployment, widgetDefinition } from '../support/kubernetes-objects.ts'
import { startKubernetesWorld, type KubernetesWorld } from '../support/kubernetes-world.ts'
import { describeWith } from '../support/peers.ts'
import { until } from '../support/until.ts'

let world: KubernetesWorld

const waitFor = (kind: string, name: string, how: unknown, more: object = {}) =>
  world.bench.step('kubernetes.wait', { cluster: 'dr', namespace: 'default', kind, name, until: how, ...more })
const query = (...args: string[]) => world.kubernetes.kubectl(...args)
const hears = (text: string) =>
  until(
    text,
    () => Promise.resolve(world.said.at(-1)),
    (said) => said === text,
  )

describeWith('kubernetes', 'kubernetes.wait against a real control plane', (program) => {
  beforeAll(async () => {
    world = await startKubernetesWorld(program)
  })
  beforeEach(() => world.calm())
  afterAll(() => world[Symbol.asyncDispose]())

  test('a deployment that is not there yet is waited for, until its pods are available', async () => {
    world.kubelet.holdsUp = () => true
    const step = waitFor('Deployment', 'web', 'available')
    expect(step.action).toMatchObject({ effect: 'read-only', isCheck: true })
    expect(await step.preflight()).toEqual([])
    const running = step.run()
    await hears('there is no Deployment default/web')
    await world.kubernetes.apply(deployment('web', { replicas: 2 }))
    await hears('0 of 2 pods of Deployment default/web available')
    world.calm()
    expect(await running).toEqual({ uid: expect.stringMatching(/-/) as string, state: '2 available' })
  })

  test('when its time is up it says how it stood', async () => {
    world.kubelet.holdsUp = () => true
    await world.kubernetes.apply(deployment('slow'))
    const stopping = new AbortController()
    const running = waitFor('Deployment', 'slow', 'available').run(stopping.signal)
    await hears('0 of 1 pod of Deployment default/slow available')
    stopping.abort()
    await expect(running).rejects.toMatchObject({ code: 'timed-out', message: '0 of 1 pod of Deployment default/slow available' })
  })

  test('a deployment of which no pod is wanted is not available', async () => {
    await world.kubernetes.apply(deployment('none', { replicas: 0 }))
    await expect(waitFor('Deployment', 'none', 'available').run()).rejects.toMatchObject({ code: 'command-failed' })
  })

  test('a condition of a pod, and of a custom resource that is defined only later', async () => {
    await query('run', 'tool', '--image=example.com/tool:1')
    expect(await waitFor('Pod', 'tool', { condition: 'Ready' }).run()).toMatchObject({ state: 'Ready=True' })
    const widget = waitFor('Widget', 'w', { condition: 'Synced' }, { apiVersion: 'example.com/v1' })
    expect(await widget.preflight()).toMatchObject([{ severity: 'warning', code: 'unknown-kind' }])
    await world.kubernetes.apply(widgetDefinition)
    await query('wait', '--for=condition=Established', 'crd/widgets.example.com')
    const running = widget.run()
    await world.kubernetes.apply({
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'w', namespace: 'default' },
      spec: { size: 1 },
    })
    await hears('Widget default/w has no condition Synced')
    const report = (status: string, observedGeneration: number) =>
      query(
        'patch',
        'widget/w',
        '--subresource=status',
        '--type=merge',
        `--patch=${JSON.stringify({ status: { conditions: [{ type: 'Synced', status, observedGeneration, reason: 'Copied', message: 'all of it' }] } })}`,
      )
    await report('False', 1)
    await hears('Synced of Widget default/w is False (Copied: all of it)')
    await query('patch', 'widget/w', '--type=merge', '--patch={"spec":{"size":2}}')
    await report('True', 1)
    await hears('the condition Synced of Widget default/w is of before its last change')
    await report('True', 2)
    expect(await running).toMatchObject({ state: 'Synced=True: Copied' })
  })

  test('until it is deleted; what is not there is', async () => {
    await world.kubernetes.apply(configMap('gone', {}))
    const running = waitFor('ConfigMap', 'gone', 'deleted').run()
    await hears('ConfigMap default/gone is there')
    await query('delete', 'configmap/gone')
    expect(await running).toEqual({ uid: null, state: 'deleted' })
  })

  test('what is not known, and what may not be read, is never taken for deleted', async () => {
    await expect(waitFor('Widgets', 'w', 'deleted', { apiVersion: 'example.com/v1' }).run()).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(waitFor('ConfigMap', 'x', 'deleted', { cluster: 'limited' }).run()).rejects.toMatchObject({
      code: 'permission-denied',
    })
    world.proxy.rule = () => ({ loses: 'answer' })
    await expect(waitFor('ConfigMap', 'x', 'deleted', { cluster: 'proxied' }).run()).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('cannot be reached') as string,
    })
  })
})
