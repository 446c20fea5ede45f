import { hash, randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { KnownBlobs } from './known-blobs.ts'

const id = (value: number | string) => hash('sha256', String(value), 'buffer')

test('only the first to add an id has to store it', () => {
  const known = new KnownBlobs()
  expect([known.add(id('a')), known.add(id('a')), known.add(id('b'))]).toEqual([true, false, true])
  expect([known.has(id('a')), known.has(id('c')), known.size]).toEqual([true, false, 2])
})

test('ids survive growth, and others with the same beginning are told apart', () => {
  const known = new KnownBlobs()
  const first = randomBytes(32)
  const twins = Array.from({ length: 50 }, (_, index) => Buffer.concat([first.subarray(0, 31), Buffer.from([index])]))
  for (const twin of twins) known.add(twin)
  for (let value = 0; value < 20_000; value++) known.add(id(value))
  expect(known.size).toBe(20_050)
  for (let value = 0; value < 20_000; value++) expect(known.has(id(value))).toBe(true)
  expect(twins.every((twin) => known.has(twin))).toBe(true)
  expect(known.has(id('another'))).toBe(false)
})

test('threads that add the same ids at once share them out: each id is new to exactly one', async () => {
  const known = new KnownBlobs()
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { hash } = require('node:crypto')
    import(workerData.module).then(({ KnownBlobs }) => {
      const known = new KnownBlobs(workerData.memory)
      let added = 0
      for (let value = 0; value < 20000; value++) if (known.add(hash('sha256', String(value), 'buffer'))) added++
      parentPort.postMessage(added)
    })`
  const module = new URL('./known-blobs.ts', import.meta.url).href
  const counts = await Promise.all(
    [1, 2].map(async () => {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      new Worker(code, { eval: true, workerData: { memory: known.memory, module } }).on('message', resolve).on('error', reject)
      return await promise
    }),
  )
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20_000)
  expect(known.size).toBe(20_000)
})
