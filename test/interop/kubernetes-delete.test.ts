import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { configMap, deployment } from '../support/kubernetes-objects.ts'
import { startKubernetesWorld, type KubernetesWorld } from '../support/kubernetes-world.ts'
import { describeWith } from '../support/peers.ts'
import { until } from '../support/until.ts'

let world: KubernetesWorld

const remove = (kind: string, name: string, more: object = {}) =>
  world.bench.step('kubernetes.delete', { cluster: 'dr', namespace: 'default', kind, name, ...more })
const query = (...args: string[]) => world.kubernetes.kubectl(...args)
const exists = async (name: string) => (await query('get', name, '--ignore-not-found', '--output=name')) !== ''
const uidOf = (name: string) => query('get', name, '--output=jsonpath={.metadata.uid}')

describeWith('kubernetes', 'kubernetes.delete against a real control plane', (program) => {
  beforeAll(async () => {
    world = await startKubernetesWorld(program)
  })
  beforeEach(() => world.calm())
  afterAll(() => world[Symbol.asyncDispose]())

  test('a deployment is deleted with its pods, and the undo creates it as it was', async () => {
    await world.kubernetes.apply(deployment('web', { replicas: 2 }))
    await query('rollout', 'status', 'deployment/web')
    const spec = await query('get', 'deployment/web', '--output=jsonpath={.spec}')
    const uid = await uidOf('deployment/web')
    world.kubelet.keepsRunning = () => true
    const step = remove('Deployment', 'web')
    expect(step.action).toMatchObject({ effect: 'reversible', canUndo: true })
    expect(await step.preflight()).toEqual([])
    const running = step.run()
    await until(
      'it waits for the pods',
      () => Promise.resolve(world.said.at(-1)),
      (text) => text?.includes('foregroundDeletion') === true,
    )
    expect(await step.probe('interrupted')).toEqual({ state: 'not-done', left: true })
    world.calm()
    expect(await running).toEqual({ deleted: true, uid })
    expect(await query('get', 'pods', '--selector=app=web', '--output=name')).toBe('')
    expect(await step.probe('interrupted')).toEqual({ state: 'done', output: { deleted: true, uid } })
    await step.undo()
    await step.undo()
    expect(await query('get', 'deployment/web', '--output=jsonpath={.spec}')).toBe(spec)
    expect(await query('rollout', 'status', 'deployment/web')).toContain('successfully rolled out')
  })

  test('what was made anew under its name is another one: neither the step nor its undo touches it', async () => {
    await world.kubernetes.apply(configMap('settings', { mode: 'old' }))
    const step = remove('ConfigMap', 'settings')
    await step.run()
    await world.kubernetes.apply(configMap('settings', { mode: 'new' }))
    const uid = await uidOf('configmap/settings')
    expect(await step.probe('interrupted')).toMatchObject({ state: 'done' })
    expect(await step.run()).toMatchObject({ deleted: true })
    await expect(step.undo()).rejects.toMatchObject({ code: 'identity-mismatch' })
    expect(await uidOf('configmap/settings')).toBe(uid)
    // Between the step's look and its request.
    const again = async () => {
      await query('delete', 'configmap/settings')
      await world.kubernetes.apply(configMap('settings', { mode: 'newest' }))
    }
    world.proxy.rule = (call) => (call.startsWith('DELETE ') ? { meanwhile: again } : undefined)
    await expect(remove('ConfigMap', 'settings', { cluster: 'proxied' }).run()).rejects.toMatchObject({
      code: 'identity-mismatch',
    })
    expect(await query('get', 'configmap/settings', '--output=jsonpath={.data.mode}')).toBe('newest')
  })

  test.each(['request', 'answer'] as const)(
    'when the %s of a deletion is lost, the state of the cluster tells',
    async (loses) => {
      await world.kubernetes.apply(configMap(`lost-${loses}`, { a: '1' }))
      world.proxy.rule = (call) => (call.startsWith('DELETE ') ? { loses } : undefined)
      const step = remove('ConfigMap', `lost-${loses}`, { cluster: 'proxied' })
      await expect(step.run()).rejects.toMatchObject({ code: 'outcome-unknown', retryable: true })
      world.calm()
      expect(await step.probe('interrupted')).toMatchObject({ state: loses === 'request' ? 'not-done' : 'done' })
      expect(await step.run()).toMatchObject({ deleted: true })
      await step.undo()
      expect(await query('get', `configmap/lost-${loses}`, '--output=jsonpath={.data.a}')).toBe('1')
    },
  )

  test('it is not done while a finalizer holds it, and says which', async () => {
    await world.kubernetes.apply({
      ...configMap('held', {}),
      metadata: { name: 'held', namespace: 'default', finalizers: ['example.com/hold'] },
    })
    const step = remove('ConfigMap', 'held')
    const running = step.run()
    await until(
      'it waits',
      () => Promise.resolve(world.said.at(-1)),
      (text) => text === 'ConfigMap default/held is being deleted: it is held by example.com/hold',
    )
    await query('patch', 'configmap/held', '--type=merge', '--patch={"metadata":{"finalizers":null}}')
    expect(await running).toMatchObject({ deleted: true })
  })

  test('what holds data, and what nobody here knows, is a point of no return', async () => {
    const kinds = [
      ['Secret'],
      ['PersistentVolumeClaim'],
      ['Pod'],
      ['StatefulSet'],
      ['Deployment', 'example.com/v1'],
      ['Widget', 'example.com/v1'],
    ]
    for (const [kind = '', apiVersion] of kinds)
      expect(remove(kind, 'x', { apiVersion }).action, kind).toMatchObject({ effect: 'point-of-no-return', canUndo: false })
    await query('create', 'secret', 'generic', 'password', '--from-literal=word=s3cret')
    const step = remove('Secret', 'password')
    expect(await step.run()).toMatchObject({ deleted: true })
    await step.undo()
    expect(await exists('secret/password')).toBe(false)
    await query('create', 'namespace', 'old')
    await world.kubernetes.apply(configMap('inside', {}, 'old'))
    expect(await remove('Namespace', 'old', { namespace: undefined }).run()).toMatchObject({ deleted: true })
    expect(await exists('namespace/old')).toBe(false)
  })

  test('nothing to delete is a failure, unless that is said to be right', async () => {
    await expect(remove('ConfigMap', 'absent').preflight()).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('mayBeAbsent') as string,
    })
    await expect(remove('ConfigMap', 'absent').run()).rejects.toMatchObject({ code: 'not-found' })
    expect(await remove('ConfigMap', 'absent', { mayBeAbsent: true }).run()).toEqual({ deleted: false, uid: null })
  })

  test('a namespace where none belongs, none where one does, a kind that is not known, and what is forbidden stop the plan', async () => {
    await expect(remove('Node', 'node-1').preflight()).rejects.toMatchObject({ code: 'usage', hint: "leave 'namespace' out" })
    await expect(remove('ConfigMap', 'x', { namespace: undefined }).preflight()).rejects.toMatchObject({ code: 'usage' })
    expect(await remove('Widget', 'x', { apiVersion: 'example.com/v1' }).preflight()).toMatchObject([
      { severity: 'warning', code: 'unknown-kind' },
    ])
    await expect(remove('Widget', 'x', { apiVersion: 'example.com/v1' }).run()).rejects.toMatchObject({ code: 'not-found' })
    expect(() => remove('Widget', 'x')).toThrow(/apiVersion/)
    await query('create', 'clusterrole', 'identity', '--verb=get', '--resource=namespaces')
    await query('create', 'clusterrolebinding', 'identity', '--clusterrole=identity', '--user=limited')
    await query('create', 'role', 'deletes', '--verb=get,delete', '--resource=configmaps')
    const forbidden = () => remove('ConfigMap', 'kube-root-ca.crt', { cluster: 'limited', mayBeAbsent: true }).preflight()
    await until(
      'the identity may be read',
      () =>
        forbidden().then(
          (findings) => findings.length,
          () => 0,
        ),
      (count) => count === 2,
    )
    expect(await forbidden()).toMatchObject([
      { severity: 'blocker', code: 'permission-denied', message: expect.stringContaining('get configmaps') as string },
      { severity: 'blocker', code: 'permission-denied', message: expect.stringContaining('delete configmaps') as string },
    ])
    await query('create', 'rolebinding', 'deletes', '--role=deletes', '--user=limited')
    await until(
      'the role counts',
      () => forbidden(),
      (findings) => findings.length === 1,
    )
    expect(await forbidden()).toMatchObject([{ severity: 'warning', code: 'undo-not-permitted' }])
  })
})
