import { expect, test } from 'vitest'
import type { Connection, KubeObject } from '../../../../clusters/index.ts'
import { HoldfastError } from '../../../../kernel/index.ts'
import { isSeen } from './watch.ts'

const error = JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410 } })
const modified = JSON.stringify({ type: 'MODIFIED', object: { metadata: { name: 'web', uid: 'u', resourceVersion: '2' } } })

/** A cluster, or a proxy before it, that ends each look at once, which a real one is not easily brought to. */
async function look(answers: (looks: number) => string, { timeoutMs = 500, signal = new AbortController().signal } = {}) {
  const asked = { lists: 0, looks: 0 }
  const cluster: Connection = {
    server: '',
    async send() {
      asked.lists++
      return { metadata: { resourceVersion: '1' }, items: [] }
    },
    text: async () => answers(++asked.looks),
    [Symbol.asyncDispose]: async () => {},
  }
  const place = { resource: 'deployments', ns: 'shop' } as const
  const seen = await isSeen<KubeObject>(cluster, { place, selection: {}, timeoutMs }, () => true, signal)
  return { seen, ...asked }
}

test('a look that ends at once is not repeated at once', async () => {
  const ended = await look(() => '')
  expect(ended).toMatchObject({ seen: false, lists: 1 })
  expect(ended.looks).toBeLessThan(5)
})

test('what the cluster has forgotten is not asked for again at once, but all of it anew', async () => {
  const forgotten = await look(() => error)
  expect(forgotten).toMatchObject({ seen: false, lists: forgotten.looks })
  expect(forgotten.looks).toBeLessThan(5)
})

test('the look at the end sees what happened before it', async () => {
  expect(await look((looks) => (looks === 2 ? modified : ''))).toEqual({ seen: true, looks: 2, lists: 1 })
})

test('an interruption ends the wait between two looks', async () => {
  const stop = new AbortController()
  const waiting = look(
    () => {
      stop.abort(new HoldfastError('interrupted', { message: 'enough' }))
      return ''
    },
    { timeoutMs: 600_000, signal: stop.signal },
  )
  await expect(waiting).rejects.toThrow('enough')
})
