import { expect, test } from 'vitest'
import { memoryRepository, openMemoryRepository, snapshotOf } from '../../../test/support/snapshot-of.ts'
import type { Repository, Snapshot } from '../../repository/index.ts'
import { EntryFinder, type FindQuery } from './find-entries.ts'
import { findBlobs, resolveBlobs } from './find-blobs.ts'

const { signal } = new AbortController()

async function found(repository: Repository, snapshots: readonly Snapshot[], query: FindQuery) {
  const finder = new EntryFinder(repository, query, signal)
  const paths: string[] = []
  const damaged: string[] = []
  for (const snapshot of snapshots)
    await finder.search(snapshot, {
      found: ({ path }) => void paths.push(path.toString('latin1')),
      damaged: (folder) => void damaged.push(folder.toString('latin1')),
    })
  return { paths, damaged }
}

async function sample() {
  const repository = await memoryRepository()
  const old = { mtime: -1_234_567_890_123_456_789n, content: [] }
  const snapshot = await snapshotOf(repository, [
    ['srv/data/Report.PDF', 'one'],
    ['srv/data/report.pdf', 'two'],
    ['srv/data/deep/report.pdf', old],
    ['srv/other/x', 'three'],
    [Buffer.concat([Buffer.from('srv/'), Buffer.from([0xff, 0x0a])]), 'odd'],
  ])
  return { repository, snapshot }
}

test('patterns match anywhere, or from the root when they begin there', async () => {
  const { repository, snapshot } = await sample()
  const find = async (query: FindQuery) => (await found(repository, [snapshot], query)).paths
  expect(await find({ patterns: ['report.pdf'] })).toEqual(['/srv/data/deep/report.pdf', '/srv/data/report.pdf'])
  expect(await find({ patterns: ['data/*.pdf'], ignoreCase: true })).toEqual(['/srv/data/Report.PDF', '/srv/data/report.pdf'])
  expect(await find({ patterns: ['/srv/*/report.pdf'] })).toEqual(['/srv/data/report.pdf'])
  expect(await find({ patterns: ['/srv/data'] })).toEqual([
    '/srv/data',
    '/srv/data/Report.PDF',
    '/srv/data/deep',
    '/srv/data/deep/report.pdf',
    '/srv/data/report.pdf',
  ])
  expect(await find({ patterns: ['/data'] })).toEqual([])
  expect(await find({ patterns: ['*\n'] })).toEqual(['/srv/\u00ff\n'])
})

test('times before 1970 count to the nanosecond', async () => {
  const { repository, snapshot } = await sample()
  const newest = -1_234_567_890_123_456_789n
  const query = { patterns: ['*'] }
  expect((await found(repository, [snapshot], { ...query, newest, oldest: newest })).paths).toEqual(['/srv/data/deep/report.pdf'])
  expect((await found(repository, [snapshot], { ...query, newest: newest - 1n })).paths).toEqual([])
})

test('a folder without a match is not read again, one with a match is told for each snapshot', async () => {
  const { repository, snapshot } = await sample()
  const { paths } = await found(repository, [snapshot, snapshot], { patterns: ['x'] })
  expect(paths).toEqual(['/srv/other/x', '/srv/other/x'])
  const finder = new EntryFinder(repository, { patterns: ['nowhere'] }, signal)
  const events = { found: () => {}, damaged: () => {} }
  await finder.search(snapshot, events)
  for await (const { name } of repository.backend.list('data')) await repository.backend.delete('data', name)
  await expect(finder.search(snapshot, events)).resolves.toBeUndefined()
})

test('what cannot be searched is told, and the rest is searched', async () => {
  const { repository, snapshot } = await sample()
  const broken = await snapshotOf(repository, [['lost/only', 'here']])
  const place = (await repository.loadIndex()).lookup('tree', broken.tree)
  await repository.backend.delete('data', place?.pack ?? '')
  const { paths, damaged } = await found(await openMemoryRepository(repository.backend), [broken, snapshot], { patterns: ['x'] })
  expect({ paths, damaged }).toEqual({ paths: ['/srv/other/x'], damaged: [''] })
})

test('blobs are found by the beginnings of their ids, and all those of a pack', async () => {
  const { repository, snapshot } = await sample()
  const index = await repository.loadIndex()
  const all = [...index.entries()]
  const data = all.find(({ type }) => type === 'data')
  if (data === undefined) throw new Error('there is no blob')
  const uses = async (query: Parameters<typeof resolveBlobs>[1]) => {
    const { wanted, count, unknown } = resolveBlobs(index, query)
    const found: string[] = []
    const on = { found: ({ id }: { id: string }) => void found.push(id), damaged: () => {} }
    await findBlobs(repository, { wanted, snapshot }, on, signal)
    return { count, unknown, found }
  }
  expect(await uses({ blobs: [data.id.slice(0, 12), 'beef00'] })).toEqual({ count: 1, unknown: ['beef00'], found: [data.id] })
  const { count, found: ids } = await uses({ packs: [data.pack] })
  expect(new Set(ids)).toEqual(new Set(all.filter(({ pack }) => pack === data.pack).map(({ id }) => id)))
  expect(count).toBe(new Set(ids).size)
  expect((await uses({ trees: [snapshot.tree] })).found).toEqual([snapshot.tree])
})
