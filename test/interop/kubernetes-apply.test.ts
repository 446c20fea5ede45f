import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { configMap, deployment, widgetDefinition } from '../support/kubernetes-objects.ts'
import { startKubernetesWorld, type KubernetesWorld } from '../support/kubernetes-world.ts'
import { describeWith } from '../support/peers.ts'

let world: KubernetesWorld

const apply = (objects: readonly object[], more: object = {}) =>
  world.bench.step('kubernetes.apply', { cluster: 'dr', namespace: 'default', objects, ...more })
const query = (...args: string[]) => world.kubernetes.kubectl(...args)
const exists = async (name: string, namespace = 'default') =>
  (await query('get', name, '--ignore-not-found', '--output=name', `--namespace=${namespace}`)) !== ''
/** All that people see of it, and who owns what. */
const whole = async (name: string) => {
  const {
    metadata,
    status: _status,
    ...rest
  } = JSON.parse(await query('get', name, '--output=json', '--show-managed-fields')) as {
    readonly metadata: Record<string, unknown>
    readonly status?: unknown
  }
  const { resourceVersion: _version, generation: _generation, ...kept } = metadata
  return { ...rest, metadata: kept }
}

describeWith('kubernetes', 'kubernetes.apply against a real control plane', (program) => {
  beforeAll(async () => {
    world = await startKubernetesWorld(program)
  })
  beforeEach(() => world.calm())
  afterAll(() => world[Symbol.asyncDispose]())

  test('a manifest creates and changes; the undo puts back what was there, with who owned it, and deletes what was not', async () => {
    await world.kubernetes.apply(configMap('settings', { mode: 'normal', size: '1' }))
    const before = await whole('configmap/settings')
    const path = join(world.kubernetes.folder, 'shop.yaml')
    await writeFile(
      path,
      `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, labels: { site: dr } }
data: { mode: disaster, extra: new }
---
apiVersion: v1
kind: Service
metadata: { name: shop }
spec: { selector: { app: shop }, ports: [{ port: 80 }] }
`,
    )
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
    const other = apply([], {
      objects: undefined,
      manifest: path,
      sha256: sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    })
    await expect(other.preflight()).rejects.toMatchObject({
      code: 'identity-mismatch',
      message: expect.stringContaining(sha256) as string,
    })
    await expect(other.run()).rejects.toMatchObject({ code: 'identity-mismatch' })
    const step = apply([], { objects: undefined, manifest: path, sha256, force: true })
    expect(await step.preflight()).toEqual([])
    expect(await step.probe()).toEqual({ state: 'not-done' })
    const output = { created: ['Service default/shop'], changed: ['ConfigMap default/settings'], unchanged: [] }
    expect(await step.run()).toEqual(output)
    expect(await query('get', 'configmap/settings', '--output=jsonpath={.data}')).toBe(
      '{"extra":"new","mode":"disaster","size":"1"}',
    )
    expect(await step.probe('interrupted')).toEqual({ state: 'done', output })
    await step.undo()
    await step.undo()
    expect(await whole('configmap/settings')).toEqual(before)
    expect(await exists('service/shop')).toBe(false)
  })

  test('fields that others own and set otherwise stop the plan, each by its name, and nothing is changed', async () => {
    await world.kubernetes.apply(configMap('owned', { mode: 'theirs' }))
    const step = apply([configMap('fresh', {}), configMap('owned', { mode: 'ours' })])
    expect(await step.preflight()).toMatchObject([
      {
        severity: 'blocker',
        code: 'field-conflict',
        message: expect.stringContaining('.data.mode (conflict with "kubectl-client-side-apply"') as string,
        hint: expect.stringContaining('force: true') as string,
      },
    ])
    expect(await exists('configmap/fresh')).toBe(false)
    await expect(step.run()).rejects.toMatchObject({ code: 'command-failed' })
    expect(await query('get', 'configmap/owned', '--output=jsonpath={.data.mode}')).toBe('theirs')
    await step.undo()
    expect(await exists('configmap/fresh')).toBe(false)
  })

  test('what was applied already is unchanged, and its undo leaves it so', async () => {
    const object = configMap('same', { a: '1' })
    await apply([object]).run()
    const before = await whole('configmap/same')
    const step = apply([object])
    expect(await step.run()).toEqual({ created: [], changed: [], unchanged: ['ConfigMap default/same'] })
    await step.undo()
    expect(await whole('configmap/same')).toEqual(before)
  })

  test('a member that an earlier manifest set and this one leaves out goes, and comes back by the undo', async () => {
    await apply([configMap('less', { a: '1', b: '2' })]).run()
    const step = apply([configMap('less', { a: '1' })])
    await step.run()
    expect(await query('get', 'configmap/less', '--output=jsonpath={.data}')).toBe('{"a":"1"}')
    await step.undo()
    expect(await query('get', 'configmap/less', '--output=jsonpath={.data}')).toBe('{"a":"1","b":"2"}')
  })

  test('what somebody else changes meanwhile is left alone: by the undo, and between the look and the change', async () => {
    await world.kubernetes.apply(configMap('busy', { mode: 'old' }), configMap('calm', { mode: 'old' }))
    const step = apply([configMap('calm', { mode: 'ours' }), configMap('busy', { mode: 'ours' })], { force: true })
    await step.run()
    await query('patch', 'configmap/busy', '--type=merge', '--patch={"data":{"mode":"theirs"}}')
    expect(await step.probe('interrupted')).toMatchObject({ state: 'unknown' })
    await expect(step.undo()).rejects.toMatchObject({
      code: 'identity-mismatch',
      message: expect.stringContaining('ConfigMap default/busy') as string,
    })
    const modes = () => query('get', 'configmap/busy', 'configmap/calm', '--output=jsonpath={.items[*].data.mode}')
    expect(await modes()).toBe('theirs old')

    let isFirst = true
    world.proxy.rule = (call) => {
      if (!call.startsWith('PATCH ') || call.includes('dryRun') || !isFirst) return undefined
      isFirst = false
      return { meanwhile: () => query('patch', 'configmap/busy', '--type=merge', '--patch={"data":{"other":"theirs"}}') }
    }
    const quick = apply([configMap('busy', { mode: 'ours' })], { cluster: 'proxied', force: true })
    await quick.run()
    await quick.undo()
    expect(await query('get', 'configmap/busy', '--output=jsonpath={.data}')).toBe('{"mode":"theirs","other":"theirs"}')
  })

  test('an object that somebody else was quicker to make is theirs: the step fails, and its undo leaves it', async () => {
    const theirs = configMap('contested', { mode: 'theirs' })
    world.proxy.rule = (call) =>
      call.startsWith('PATCH ') && !call.includes('dryRun') && call.includes('contested')
        ? { meanwhile: () => world.kubernetes.apply(theirs) }
        : undefined
    const step = apply([configMap('before', {}), configMap('contested', { mode: 'ours' })], { cluster: 'proxied' })
    await expect(step.run()).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('.data.mode') as string,
    })
    world.calm()
    expect(await step.probe('failed')).toEqual({ state: 'not-done', left: true })
    await step.undo()
    expect(await query('get', 'configmap/contested', '--output=jsonpath={.data.mode}')).toBe('theirs')
    expect(await exists('configmap/before')).toBe(false)
  })

  test.each(['request', 'answer'] as const)(
    'when the %s of an object is lost midway, what was begun is finished or undone',
    async (loses) => {
      const objects = [configMap(`${loses}-1`, {}), configMap(`${loses}-2`, {}), configMap(`${loses}-3`, {})]
      world.proxy.rule = (call) =>
        call.startsWith('PATCH ') && call.includes(`${loses}-2`) && !call.includes('dryRun') ? { loses } : undefined
      const step = apply(objects, { cluster: 'proxied' })
      await expect(step.run()).rejects.toMatchObject({ code: 'outcome-unknown', retryable: true })
      world.calm()
      expect(await step.probe('interrupted')).toEqual({ state: 'not-done', left: true })
      expect(await step.run()).toMatchObject({ created: objects.map(({ metadata }) => `ConfigMap default/${metadata.name}`) })
      await step.undo()
      for (const { metadata } of objects) expect(await exists(`configmap/${metadata.name}`)).toBe(false)

      world.proxy.rule = (call) =>
        call.startsWith('PATCH ') && call.includes(`${loses}-2`) && !call.includes('dryRun') ? { loses } : undefined
      const given = apply(objects, { cluster: 'proxied' })
      await expect(given.run()).rejects.toMatchObject({ code: 'outcome-unknown' })
      world.calm()
      await given.undo()
      for (const { metadata } of objects) expect(await exists(`configmap/${metadata.name}`)).toBe(false)
    },
  )

  test('a namespace and a kind of its own are known as soon as the manifest has made them; the undo keeps what others may use by then', async () => {
    const objects = [
      widgetDefinition,
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'shop' }, spec: { size: 1 } },
      deployment('web', { namespace: 'shop' }),
    ]
    const step = apply(objects)
    expect(await step.preflight()).toEqual([])
    expect(await step.run()).toMatchObject({
      created: [expect.any(String), 'Namespace shop', 'Widget shop/w', 'Deployment shop/web'],
    })
    await step.undo()
    expect(await exists('namespace/shop')).toBe(true)
    expect(await exists('widget/w', 'shop')).toBe(false)
    expect(await exists('deployment/web', 'shop')).toBe(false)
  })

  test('a deployment gets its image by the manifest, and the undo brings the revision before back', async () => {
    await world.kubernetes.apply(deployment('app', { replicas: 2, image: 'example.com/app:1' }))
    await query('rollout', 'status', 'deployment/app')
    const step = apply([deployment('app', { replicas: 2, image: 'example.com/app:2' })], { force: true })
    expect(await step.run()).toMatchObject({ changed: ['Deployment default/app'] })
    await query('rollout', 'status', 'deployment/app')
    await step.undo()
    await query('rollout', 'status', 'deployment/app')
    expect(await query('get', 'pods', '--selector=app=app', '--output=jsonpath={.items[*].spec.containers[*].image}')).toBe(
      'example.com/app:1 example.com/app:1',
    )
  })

  test('a secret may be created, and one that is there already is not changed', async () => {
    const secret = (value: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'password' },
      stringData: { word: value },
    })
    const created = apply([secret('first')])
    expect(await created.preflight()).toEqual([])
    expect(await created.run()).toMatchObject({ created: ['Secret default/password'] })
    const changed = apply([secret('second')])
    expect(await changed.preflight()).toMatchObject([{ severity: 'blocker', code: 'secret-would-change' }])
    await expect(changed.run()).rejects.toMatchObject({ code: 'usage' })
    expect(await query('get', 'secret/password', '--output=jsonpath={.data.word}')).toBe(Buffer.from('first').toString('base64'))
    expect(await apply([secret('first')]).preflight()).toEqual([])
  })

  test('what the cluster would not take stops the plan: not valid, no such namespace, no such kind, not allowed', async () => {
    const codes = async (object: object, more: object = {}) => (await apply([object], more).preflight()).map(({ code }) => code)
    expect(await codes({ ...configMap('x', {}), data: { a: 1 } })).toEqual(['not-valid'])
    expect(await codes(deployment('x', { replicas: -1 }))).toEqual(['not-valid'])
    expect(await codes(configMap('x', {}, 'nowhere'))).toEqual(['not-valid'])
    await expect(codes({ apiVersion: 'example.org/v1', kind: 'Gadget', metadata: { name: 'x' } })).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(
      codes({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }, { namespace: undefined }),
    ).rejects.toMatchObject({ code: 'usage' })
    await query('create', 'clusterrole', 'identity', '--verb=get', '--resource=namespaces')
    await query('create', 'clusterrolebinding', 'identity', '--clusterrole=identity', '--user=limited')
    await expect
      .poll(() => codes(configMap('x', {}), { cluster: 'limited' }).catch(String))
      .toEqual(['permission-denied', 'permission-denied'])
    await expect(apply([], { objects: undefined, manifest: '/nowhere.yaml' }).preflight()).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})
