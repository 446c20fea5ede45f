import { expect, test } from 'vitest'
import { memoryRepository, snapshotOf } from '../../../test/support/snapshot-of.ts'
import { readStats, type StatsMode } from './stats.ts'

const { signal } = new AbortController()

async function sample() {
  const repository = await memoryRepository()
  const shared = await snapshotOf(repository, [
    ['d/one', 'same'],
    ['d/two', 'same'],
    ['d/other', 'different'],
    ['d/link', { type: 'symlink', linkTarget: Buffer.from('one') }],
  ])
  const [dir] = await repository.readTree(shared.tree)
  const content = (await repository.readTree(dir?.subtree ?? '')).find(({ name }) => name.toString() === 'one')?.content ?? []
  const linked = { content, size: 4n, links: 2n, inode: 2n ** 63n }
  const links = await snapshotOf(repository, [
    ['e/a', linked],
    ['e/b', linked],
    ['e/elsewhere', { ...linked, deviceId: 7n }],
  ])
  return {
    repository,
    shared,
    links,
    stats: (mode: StatsMode, snapshots = [shared, links]) => readStats(repository, { snapshots, mode }, () => {}, signal),
  }
}

test('restore-size counts every entry, and a file with several names once in each snapshot', async () => {
  const { stats, shared, links } = await sample()
  expect(await stats('restore-size', [shared])).toEqual({
    mode: 'restore-size',
    snapshots: 1,
    sizeBytes: 17,
    files: 3,
    folders: 1,
    others: 1,
  })
  expect(await stats('restore-size', [links])).toMatchObject({ sizeBytes: 8, files: 3 })
  // What is remembered of the first time does not change the second.
  expect(await stats('restore-size', [shared, links, shared, links])).toMatchObject({ sizeBytes: 50, files: 12, folders: 4 })
})

test('files-by-contents counts each content once, blobs-per-file the blobs of each path', async () => {
  const { stats } = await sample()
  expect(await stats('files-by-contents')).toEqual({ mode: 'files-by-contents', snapshots: 2, sizeBytes: 13, files: 2 })
  expect(await stats('blobs-per-file')).toEqual({ mode: 'blobs-per-file', snapshots: 2, sizeBytes: 13, files: 2, blobs: 2 })
})

test('raw-data counts the blobs that are needed, as they are stored', async () => {
  const { repository, shared, stats } = await sample()
  const { blobs, sizeBytes, uncompressedBytes } = await stats('raw-data', [shared])
  const all = [...(await repository.loadIndex()).entries()]
  // Two files' content, the folder, and the root.
  expect(blobs).toBe(4)
  expect(all.length).toBeGreaterThan(4)
  expect(sizeBytes).toBeLessThan(all.reduce((sum, { length }) => sum + length, 0))
  expect(uncompressedBytes).toBeGreaterThan(13)
})
