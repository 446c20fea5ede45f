import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { deployment, statefulSet } from '../support/kubernetes-objects.ts'
import { startKubernetesWorld, type KubernetesWorld } from '../support/kubernetes-world.ts'
import { describeWith } from '../support/peers.ts'
import { until } from '../support/until.ts'

let world: KubernetesWorld

const rollout = (name: string, more: object) =>
  world.bench.step('kubernetes.rollout', { cluster: 'dr', namespace: 'default', deployment: name, ...more })

const imagesOf = (app: string) =>
  query('get', 'pods', `--selector=app=${app}`, '--output=jsonpath={.items[*].spec.containers[*].image}')
const podsOf = (app: string) => query('get', 'pods', `--selector=app=${app}`, '--output=name')
const templateOf = (name: string) => query('get', name, '--output=jsonpath={.spec.template}')
const query = (...args: string[]) => world.kubernetes.kubectl(...args)

/** It runs, as a rollout finds it. */
async function running(object: { readonly kind: string; readonly metadata: { readonly name: string } }): Promise<void> {
  await world.kubernetes.apply(object)
  await world.kubernetes.kubectl('rollout', 'status', `${object.kind.toLowerCase()}/${object.metadata.name}`)
}

describeWith('kubernetes', 'kubernetes.rollout against a real control plane', (program) => {
  beforeAll(async () => {
    world = await startKubernetesWorld(program)
  })
  beforeEach(() => world.calm())
  afterAll(() => world[Symbol.asyncDispose]())

  test('a new image is rolled out until only new pods are left, and the undo returns to the revision before', async () => {
    await running(deployment('web', { replicas: 2, image: 'example.com/web:1' }))
    const before = await templateOf('deployment/web')
    const replicaSets = await query('get', 'replicasets', '--selector=app=web', '--output=name')
    const step = rollout('web', { images: { main: 'example.com/web:2' } })
    expect(await step.preflight()).toEqual([])
    expect(await step.probe()).toEqual({ state: 'not-done' })
    expect(await step.run()).toEqual({ revision: '2', images: { main: 'example.com/web:2' } })
    expect(await imagesOf('web')).toBe('example.com/web:2 example.com/web:2')
    expect(await step.probe('interrupted')).toMatchObject({ state: 'done', output: { revision: '2' } })
    await step.undo()
    await step.undo()
    expect(await templateOf('deployment/web')).toBe(before)
    expect(await imagesOf('web')).toBe('example.com/web:1 example.com/web:1')
    // Not a third revision's, but the first one's.
    const scaled = await query('get', replicaSets, '--output=jsonpath={.status.availableReplicas}')
    expect(scaled).toBe('2')
  })

  test('a restart replaces every pod once, however often the step is tried', async () => {
    await running(deployment('api', { replicas: 2 }))
    const before = await podsOf('api')
    const step = rollout('api', { restart: true })
    await step.run()
    const after = await podsOf('api')
    expect(after.split('\n')).toHaveLength(2)
    for (const pod of before.split('\n')) expect(after).not.toContain(pod)
    expect(await step.run()).toMatchObject({ revision: '2' })
    expect(await podsOf('api')).toBe(after)
    await step.undo()
    expect(await templateOf('deployment/api')).not.toContain('restartedAt')
  })

  test('a stateful set is rolled out and back', async () => {
    await running(statefulSet('db', { replicas: 2, image: 'example.com/db:1' }))
    const step = rollout('db', { deployment: undefined, statefulSet: 'db', images: { main: 'example.com/db:2' } })
    expect(await step.run()).toEqual({ revision: expect.stringMatching(/^db-/) as string, images: { main: 'example.com/db:2' } })
    expect(await imagesOf('db')).toBe('example.com/db:2 example.com/db:2')
    await step.undo()
    expect(await imagesOf('db')).toBe('example.com/db:1 example.com/db:1')
  })

  test('pods that do not become ready fail the step at the deadline of the deployment, and the undo brings the old ones back', async () => {
    const slow = deployment('slow', { replicas: 2, image: 'example.com/slow:1' })
    const impatient = { ...slow, spec: { ...slow.spec, progressDeadlineSeconds: 2 } }
    await running(impatient)
    world.kubelet.holdsUp = ({ spec }) => spec?.containers[0]?.image === 'example.com/slow:2'
    const step = rollout('slow', { images: { main: 'example.com/slow:2' } })
    await expect(step.run()).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('has timed out progressing') as string,
      hint: expect.stringContaining('describe pod') as string,
    })
    expect(await step.probe('failed')).toEqual({ state: 'not-done', left: true })
    await step.undo()
    expect(await imagesOf('slow')).toBe('example.com/slow:1 example.com/slow:1')
  })

  test('a change whose answer is lost was made, and is not made a second time', async () => {
    await running(deployment('lost', { replicas: 1 }))
    const step = rollout('lost', { cluster: 'proxied', restart: true })
    world.proxy.rule = (call) => (call.startsWith('PATCH ') ? { loses: 'answer' } : undefined)
    await expect(step.run()).rejects.toMatchObject({ code: 'outcome-unknown' })
    await until(
      'it is done',
      () => step.probe('interrupted'),
      ({ state }) => state === 'done',
    )
    const after = await podsOf('lost')
    expect(await step.run()).toMatchObject({ revision: '2' })
    expect(await podsOf('lost')).toBe(after)
  })

  test('what somebody else has rolled out meanwhile is left alone, by the step and by its undo', async () => {
    await running(deployment('shared', { image: 'example.com/shared:1' }))
    const step = rollout('shared', { images: { main: 'example.com/shared:2' } })
    await step.run()
    await query('set', 'image', 'deployment/shared', 'main=example.com/shared:3')
    await expect(step.undo()).rejects.toMatchObject({ code: 'identity-mismatch' })
    expect(await step.probe('interrupted')).toMatchObject({ state: 'unknown' })
    world.proxy.rule = (call) =>
      call.startsWith('PATCH ')
        ? { meanwhile: () => query('set', 'image', 'deployment/shared', 'main=example.com/shared:4') }
        : undefined
    await expect(rollout('shared', { cluster: 'proxied', images: { main: 'example.com/shared:5' } }).run()).rejects.toMatchObject(
      { code: 'identity-mismatch' },
    )
    expect(await query('get', 'deployment/shared', '--output=jsonpath={.spec.template.spec.containers[0].image}')).toBe(
      'example.com/shared:4',
    )
  })

  test('what would never be rolled out stops the plan: a paused one, updates on delete, a container that is not there', async () => {
    await running(deployment('paused'))
    await query('rollout', 'pause', 'deployment/paused')
    expect(await rollout('paused', { restart: true }).preflight()).toMatchObject([{ severity: 'blocker', code: 'paused' }])
    await expect(rollout('paused', { restart: true }).run()).rejects.toMatchObject({ code: 'command-failed' })
    const byHand = statefulSet('by-hand')
    await world.kubernetes.apply({ ...byHand, spec: { ...byHand.spec, updateStrategy: { type: 'OnDelete' } } })
    expect(await rollout('x', { deployment: undefined, statefulSet: 'by-hand', restart: true }).preflight()).toMatchObject([
      { code: 'updates-on-delete' },
    ])
    expect(await rollout('paused', { images: { sidecar: 'x:1' } }).preflight()).toMatchObject([
      { code: 'paused' },
      { code: 'no-such-container', hint: 'its containers are: main' },
    ])
  })
})
