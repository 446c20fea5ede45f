import { expect, test } from 'vitest'
import { systemClock, type Json } from '../../kernel/index.ts'
import { runCtkExperiment, type CtkRunOptions } from './run-experiment.ts'
import type { CtkActivity } from './types.ts'

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
