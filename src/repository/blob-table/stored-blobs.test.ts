import { randomFillSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { sha256Hex } from '../../kernel/index.ts'
import { createBlobIndex } from '../blob-index.ts'
import { StoredBlobs } from './stored-blobs.ts'

const blob = (name: string) => ({ type: 'data', id: sha256Hex(name), offset: 0, length: 40 }) as const
const has = (stored: StoredBlobs, name: string) => stored.has('data', Buffer.from(sha256Hex(name), 'hex'))

test('another thread finds what the index held when it was shared, however much the index grows meanwhile', () => {
  const index = createBlobIndex()
  const names = (from: number) => Array.from({ length: 70_000 }, (_, at) => `${from + at}`)
  index.add({ id: sha256Hex('first'), blobs: names(0).map(blob) })
  const stored = new StoredBlobs(index.share())
  index.add({ id: sha256Hex('second'), blobs: names(70_000).map(blob) })

  expect(names(0).every((name) => has(stored, name))).toBe(true)
  expect(has(stored, 'another')).toBe(false)
  expect(stored.hasHexAt('data', Buffer.from(`-${sha256Hex('69999')}`), 1)).toBe(true)
  expect(stored.hasHexAt('data', Buffer.from(`-${sha256Hex('another')}`), 1)).toBe(false)
  expect(stored.has('tree', Buffer.from(sha256Hex('0'), 'hex'))).toBe(false)
  // Whether it sees what came later does not matter, only that it does not fail.
  for (const name of names(70_000)) has(stored, name)
})

test('what is only in packs that are set aside is not stored', () => {
  const index = createBlobIndex()
  index.add({ id: sha256Hex('lost'), blobs: [blob('a'), blob('b')] })
  index.add({ id: sha256Hex('there'), blobs: [blob('b'), blob('c')] })
  index.setAside(sha256Hex('lost'))
  const stored = new StoredBlobs(index.share())
  expect(['a', 'b', 'c'].map((name) => has(stored, name))).toEqual([false, true, true])
})

test('an index that is told how much will come takes at most 48 bytes a blob', () => {
  const blobs = 1_000_000
  const index = createBlobIndex()
  index.reserve(blobs)
  const ids = randomFillSync(new Uint32Array(blobs * 8))
  for (let at = 0; at < blobs;) {
    const add = index.begin(sha256Hex(`pack ${at}`))
    for (let end = at + 500; at < end; at++) add(ids, at * 8, false, { offset: at, length: 1000, uncompressed: 2000 })
  }
  expect(index.size).toBe(blobs)
  expect(index.bytes / blobs).toBeLessThanOrEqual(48)
  const some = Buffer.from(ids.buffer, 777_777 * 32, 32).toString('hex')
  expect(index.lookup('data', some)).toMatchObject({ offset: 777_777, pack: sha256Hex('pack 777500') })
})
