import { afterEach, expect, test, vi } from 'vitest'
import { HoldfastError, systemClock, type Json } from '../../kernel/index.ts'
import { runCtkExperiment, type CtkRunOptions } from './run-experiment.ts'
import type { CtkActivity } from './types.ts'

afterEach(() => vi.unstubAllEnvs())

const action = (more: Readonly<Record<string, Json>> = {}): CtkActivity => ({
  type: 'action',
  name: 'one',
  provider: { type: 'process', path: 'true' },
  ...more,
})

const run = async (method: readonly CtkActivity[], more: Partial<CtkRunOptions> = {}, signal = new AbortController().signal) => {
  const none = { configuration: {}, secrets: {} }
  const options: CtkRunOptions = { clock: systemClock, strict: false, variables: none, onEntry: () => {}, ...more }
  return await runCtkExperiment({ title: 't', description: 'd', method }, options, signal)
}

test('of actions with one name, those that are only written down are told apart', async () => {
  const { passedOver, journal } = await run([action(), action({ dry: 'actions' }), action({ type: 'probe' }), action()])
  expect(passedOver).toEqual([1])
  expect(journal.run.map(({ output }) => output === null)).toEqual([false, true, false, false])
})

const asking: CtkActivity['provider'] = { type: 'python', module: 'chaosk8s.pod.probes', func: 'all_pods_healthy' }

test('a cluster must be known only where one will be asked', async () => {
  vi.stubEnv('KUBECONFIG', '/nowhere/config')
  const [probe, acting] = [
    action({ type: 'probe', provider: asking as unknown as Json }),
    action({ provider: asking as unknown as Json }),
  ]
  const asks = (place: string) => `nothing was begun: ${place} asks a cluster, but nothing names a cluster`
  let begun = 0
  const onBegin = async () => void begun++
  await expect(run([action(), acting], { onBegin })).rejects.toThrow(asks('method[1]'))
  expect(begun).toBe(0)
  await expect(run([acting, probe], { dry: 'actions' })).rejects.toThrow(asks('method[1]'))
  expect((await run([acting, probe], { dry: 'activities' })).journal.run.map(({ output }) => output)).toEqual([null, null])
  expect((await run([acting, action()], { dry: 'actions', onBegin })).passedOver).toEqual([0, 1])
  expect(begun).toBe(1)
})

test('whoever interrupts while clusters are looked for is not told that the experiment is wrong', async () => {
  vi.stubEnv('KUBECONFIG', '/nowhere/config')
  const stop = AbortSignal.abort(new HoldfastError('interrupted', { message: 'enough' }))
  await expect(run([action({ provider: asking as unknown as Json })], {}, stop)).rejects.toThrow('enough')
})
