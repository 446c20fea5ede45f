import { expect, test } from 'vitest'
import { memoryRepository, openMemoryRepository, snapshotOf } from '../../test/support/snapshot-of.ts'
import type { Repository, Snapshot } from '../repository/index.ts'
import { createMemoryBackend, faulty, type FaultRule } from '../storage/index.ts'
import { tagSnapshots, type TagJob } from './tag-snapshots.ts'

const { signal } = new AbortController()

const tag = (repository: Repository, snapshots: readonly Snapshot[], change: Omit<TagJob, 'repository' | 'snapshots'>) =>
  tagSnapshots({ repository, snapshots, ...change }, async () => {}, signal)

test.each<[string, Omit<TagJob, 'repository' | 'snapshots'>, string[]]>([
  ['added once', { add: ['new', 'a', 'new'] }, ['a', 'b', 'new']],
  ['removed', { remove: ['a', 'unknown'] }, ['b']],
  ['added and removed', { add: ['c'], remove: ['b'] }, ['a', 'c']],
  ['set', { set: ['x', 'y', 'x'] }, ['x', 'y']],
  ['all taken away', { set: [''] }, []],
])('tags are %s, in a new snapshot that replaces the old one', async (_, change, expected) => {
  const repository = await memoryRepository()
  const before = await snapshotOf(repository, [['x', 'x']], { tags: ['a', 'b'], parent: 'ab'.repeat(32) })
  const [done] = await tag(repository, [before], change)
  const all = await repository.snapshots()
  expect(all).toEqual([done?.after])
  expect(all).toMatchObject([
    { tags: expected, original: before.id, parent: before.parent, tree: before.tree, time: before.time },
  ])
  // Again: original stays the first.
  await tag(repository, all, { add: ['again'] })
  expect(await repository.snapshots()).toMatchObject([{ original: before.id }])
})

test('a snapshot whose tags are right already stays', async () => {
  const repository = await memoryRepository()
  const snapshot = await snapshotOf(repository, [], { tags: ['a'] })
  expect(await tag(repository, [snapshot], { add: ['a'], remove: ['b'] })).toEqual([])
  expect(await repository.snapshots()).toEqual([snapshot])
})

test('it must be said what to do, and only one thing', async () => {
  const repository = await memoryRepository()
  await expect(tag(repository, [], {})).rejects.toMatchObject({ code: 'usage' })
  await expect(tag(repository, [], { set: ['a'], add: ['b'] })).rejects.toMatchObject({ code: 'usage' })
})

test.each<[string, FaultRule]>([
  ['before the new one is there', { on: 'put', kind: 'snapshots', nth: 2, fault: { type: 'crash', at: 'before' } }],
  ['after the new one is there', { on: 'put', kind: 'snapshots', nth: 2, fault: { type: 'crash', at: 'after' } }],
  ['before the old one is gone', { on: 'delete', kind: 'snapshots', fault: { type: 'crash', at: 'before' } }],
  ['after the old one is gone', { on: 'delete', kind: 'snapshots', fault: { type: 'crash', at: 'after' } }],
])('interrupted %s, no snapshot is lost, and the next run leaves one', async (_, rule) => {
  const backend = createMemoryBackend()
  await memoryRepository(backend)
  const failing = await openMemoryRepository(faulty(backend, [rule]))
  const before = await snapshotOf(failing, [['x', 'x']], { tags: ['a'] })
  await expect(tag(failing, [before], { add: ['b'] })).rejects.toThrow()
  const repository = await openMemoryRepository(backend)
  await repository.unlock({ all: true })
  const left = await repository.snapshots()
  expect(left.length).toBeGreaterThan(0)
  await tag(repository, left, { add: ['b'] })
  expect(await repository.snapshots()).toMatchObject([{ tags: ['a', 'b'], original: before.id }])
})
