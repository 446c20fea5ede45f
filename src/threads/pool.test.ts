import { expect, test } from 'vitest'
import { createPool, type WorkerPool } from './pool.ts'
import type { SampleCalls, SampleMainCalls } from '../../test/support/sample-worker.ts'

function samplePool(size = 1): WorkerPool<SampleCalls> {
  return createPool<SampleMainCalls, SampleCalls>({
    entry: new URL('../../test/support/sample-worker.ts', import.meta.url),
    size,
    workerData: { offset: 100 },
    handlers: (index) => ({ answer: ({ question }) => `worker ${index} asked ${question}` }),
  })
}

test('calls are answered by every worker, with the data it was started with', async () => {
  await using pool = samplePool(2)
  const sums = await Promise.all(pool.workers.map((worker, index) => worker.call('add', { a: index, b: 1 })))
  expect(sums).toEqual([101, 102])
})

test('the idlest worker is the one with the fewest calls under way', async () => {
  await using pool = samplePool(2)
  const first = pool.idlest()
  const call = first.call('add', { a: 0, b: 0 })
  expect(pool.idlest().index).not.toBe(first.index)
  await call
  expect(first.pending).toBe(0)
})

test('a result can be moved instead of copied', async () => {
  await using pool = samplePool()
  const bytes = await pool.idlest().call('fill', { length: 5 })
  expect([...bytes]).toEqual([7, 7, 7, 7, 7])
})

test('an error keeps its code, hint, details and whether it may pass', async () => {
  await using pool = samplePool()
  await expect(pool.idlest().call('fail', { known: true })).rejects.toMatchObject({
    name: 'HoldfastError',
    code: 'disk-full',
    message: 'no space left',
    hint: 'free some',
    details: { path: '/x' },
    retryable: true,
  })
})

test('an unexpected error arrives as internal, with the stack of the worker in its cause', async () => {
  await using pool = samplePool()
  const error: unknown = await pool
    .idlest()
    .call('fail', { known: false })
    .catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'internal', message: 'not what was expected' })
  expect((error as { cause: Error }).cause.stack).toContain('sample-worker')
})

test('a worker can ask the thread that started it', async () => {
  await using pool = samplePool()
  expect(await pool.idlest().call('askMain', { question: 'why' })).toBe('worker 0 asked why')
})

test('what cannot be passed to a thread rejects its call, and no later one', async () => {
  await using pool = samplePool()
  const worker = pool.idlest()
  const input = { a: 1, b: 1, unpassable: () => {} }
  await expect(worker.call('add', input)).rejects.toMatchObject({ name: 'DataCloneError' })
  expect(await worker.call('add', { a: 1, b: 1 })).toBe(102)
})

test('a worker that dies rejects the calls that wait for it, and later ones', async () => {
  await using pool = samplePool()
  await expect(pool.idlest().call('die', {})).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('ended with code 7') as string,
  })
  await expect(pool.idlest().call('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'internal' })
})

test('disposing ends a worker that is busy, and rejects its calls', async () => {
  const pool = samplePool()
  await pool.idlest().call('add', { a: 1, b: 1 })
  const call = pool.idlest().call('spin', {})
  await Promise.all([expect(call).rejects.toMatchObject({ code: 'interrupted' }), pool[Symbol.asyncDispose]()])
})
