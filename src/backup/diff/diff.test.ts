import { expect, test } from 'vitest'
import { memoryRepository, snapshotOf, type SampleEntry } from '../../../test/support/snapshot-of.ts'
import { goMode } from '../file-mode.ts'
import { diffTrees } from './diff-trees.ts'

const { signal } = new AbortController()
const raw = Buffer.from([0x2f, 0x66, 0xff, 0x0a])

async function diff(before: readonly SampleEntry[], after: readonly SampleEntry[], metadata = false) {
  const repository = await memoryRepository()
  const [old, now] = [await snapshotOf(repository, before), await snapshotOf(repository, after)]
  const changes: string[] = []
  const summary = await diffTrees(
    { repository, before: old.tree, after: now.tree, metadata },
    ({ modifier, path, isFolder }) => changes.push(`${modifier} ${path.toString('latin1')}${isFolder ? '/' : ''}`),
    signal,
  )
  return { changes, summary }
}

test('added, removed and changed entries are told in byte order, folders before what is in them', async () => {
  const { changes, summary } = await diff(
    [
      ['a/gone/x', 'x'],
      ['a/same', 'same'],
      ['b', 'text'],
      ['z', 'older'],
    ],
    [
      ['a/same', 'same'],
      ['b/now a folder', 'text'],
      ['new/deep/er', 'new content'],
      ['z', 'new'],
      ['é', ''],
    ],
  )
  expect(changes).toEqual([
    '- /a/gone/',
    '- /a/gone/x',
    'T /b/',
    '+ /b/now a folder',
    '+ /new/',
    '+ /new/deep/',
    '+ /new/deep/er',
    'M /z',
    '+ /é'.replace('é', Buffer.from('é').toString('latin1')),
  ])
  expect(summary).toMatchObject({
    changedFiles: 1,
    added: { files: 3, folders: 2, others: 0, dataBlobs: 2 },
    removed: { files: 1, folders: 1, others: 0, dataBlobs: 2 },
  })
})

test('nothing differs between a tree and itself, and between two that say the same', async () => {
  const none = { files: 0, folders: 0, others: 0, dataBlobs: 0, treeBlobs: 0, bytes: 0 }
  const same: SampleEntry[] = [['a/b', 'text']]
  expect(await diff(same, same, true)).toEqual({ changes: [], summary: { changedFiles: 0, added: none, removed: none } })
})

test('names of any bytes are compared as bytes', async () => {
  const { changes } = await diff(
    [[Buffer.concat([Buffer.from('d'), raw]), 'more']],
    [[Buffer.concat([Buffer.from('d'), raw]), 'two']],
  )
  expect(changes).toEqual(['M /d/f\u00ff\n'])
})

test('metadata is told only when asked for: inodes above 2⁵³ and nanoseconds before 1970 that differ in their last digit', async () => {
  const entry = (inode: bigint, mtime: bigint): SampleEntry => ['x', { inode, mtime, content: [] }]
  const far = 2n ** 63n
  const then = -1_234_567_890_123_456_789n
  expect((await diff([entry(far, then)], [entry(far + 1n, then)], true)).changes).toEqual(['U /x'])
  expect((await diff([entry(far, then)], [entry(far, then + 1n)], true)).changes).toEqual(['U /x'])
  expect((await diff([entry(far, then)], [entry(far + 1n, then + 1n)])).changes).toEqual([])
  const link: SampleEntry[] = [['l', { type: 'symlink', mode: goMode(0o120_777), linkTarget: Buffer.from([0xff, 1]) }]]
  const other: SampleEntry[] = [['l', { type: 'symlink', mode: goMode(0o120_777), linkTarget: Buffer.from([0xff, 2]) }]]
  expect((await diff(link, other, true)).changes).toEqual(['U /l'])
})

test('a file whose content alone differs is told apart: what a failing disk leaves', async () => {
  const { changes, summary } = await diff([['x', 'good']], [['x', 'gooe']])
  expect(changes).toEqual(['M? /x'])
  expect(summary.changedFiles).toBe(1)
})

test('content that stays in another place is neither added nor removed', async () => {
  const { summary } = await diff(
    [
      ['common/x', 'shared content'],
      ['a', 'shared content'],
    ],
    [
      ['common/x', 'shared content'],
      ['b', 'new content'],
    ],
  )
  expect(summary).toMatchObject({ added: { dataBlobs: 1 }, removed: { dataBlobs: 0 } })
})
