import { mkdirSync, mkdtempDisposableSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRepository, encodeTree, formatTime, type TreeNode } from '../../repository/index.ts'
import { createMemoryBackend } from '../../storage/index.ts'
import { goMode } from '../file-mode.ts'
import { listTree } from '../list-tree.ts'
import { restoreSnapshot } from './restore-snapshot.ts'

const { signal } = new AbortController()
const kdf = { N: 32768, r: 8, p: 1 }

/** Trees that Holdfast does not write, but others may, or damage. `make` gives the nodes of the root. */
async function snapshotOf(make: (save: (nodes: TreeNode[]) => Promise<string>, content: string[]) => Promise<TreeNode[]>) {
  const repository = await createRepository(createMemoryBackend(), 'password', { kdf })
  await using writer = await repository.createWriter({ workers: 1 })
  const save = async (nodes: TreeNode[]) => (await writer.saveTree(encodeTree(nodes))).id
  const { content } = await writer.saveStream(
    (async function* () {
      yield Buffer.from('content')
    })(),
  )
  const tree = await save(await make(save, content))
  await writer.flush()
  return { repository, snapshot: await repository.saveSnapshot({ time: formatTime(1n), tree, paths: ['/'] }) }
}

function node(name: string, fields: Partial<TreeNode>): TreeNode {
  const times = { mtime: 1n, atime: 1n, ctime: 1n }
  const ids = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  return { name: Buffer.from(name), type: 'file', mode: goMode(0o100_600), ...times, ...ids, content: [], ...fields }
}

const folder = () => mkdtempDisposableSync(join(tmpdir(), 'holdfast-odd-'))

test('files with several names but without an inode are not names of one another', async () => {
  using dir = folder()
  const made = await snapshotOf(async (_, content) => [node('one', { links: 2n, content }), node('two', { links: 2n })])
  await restoreSnapshot({ ...made, target: dir.path, noLock: true }, () => {}, signal)
  expect(readFileSync(join(dir.path, 'one'), 'utf8')).toBe('content')
  expect(readFileSync(join(dir.path, 'two'), 'utf8')).toBe('')
})

test('a file whose content is not known is not restored as an empty one', async () => {
  using dir = folder()
  const made = await snapshotOf(async () => [node('known', {}), node('unknown', { content: null, size: 4n })])
  const restore = (skipDamaged: boolean) =>
    restoreSnapshot({ ...made, target: dir.path, noLock: true, skipDamaged }, () => {}, signal)
  await expect(restore(false)).rejects.toMatchObject({ code: 'object-damaged' })
  expect(readdirSync(dir.path)).toEqual([])
  expect(await restore(true)).toMatchObject({ files: 1, skipped: [{ path: join(dir.path, 'unknown') }] })
  expect(readdirSync(dir.path)).toEqual(['known'])
})

test('a folder without a tree is not restored as an empty one', async () => {
  using dir = folder()
  const made = await snapshotOf(async () => [node('folder', { type: 'dir', content: null })])
  const restored = restoreSnapshot({ ...made, target: dir.path, noLock: true }, () => {}, signal)
  await expect(restored).rejects.toMatchObject({ code: 'object-damaged' })
})

test('the size of a restore is that of what was written, whatever entries say', async () => {
  using dir = folder()
  const made = await snapshotOf(async (_, content) => [node('liar', { size: 10n ** 15n, content })])
  const summary = await restoreSnapshot({ ...made, target: dir.path, noLock: true }, () => {}, signal)
  expect(summary).toMatchObject({ sizeBytes: 7, files: 1 })
})

test('folders nested two thousand deep are listed', async () => {
  const depth = 2000
  const { repository, snapshot } = await snapshotOf(async (save) => {
    let nodes: TreeNode[] = []
    for (let at = 0; at < depth; at++) nodes = [node('d', { type: 'dir', content: null, subtree: await save(nodes) })]
    return nodes
  })
  let listed = 0
  for await (const _ of listTree({ repository, snapshot }, signal)) listed++
  expect(listed).toBe(depth)
})

test.for([0, 2])(
  'a link in the place of a folder that %i threads restore into leads nothing out of the target',
  async (threads, { skip }) => {
    skip(process.platform !== 'linux', 'it needs /proc/self/fd')
    using dir = folder()
    using outside = folder()
    const made = await snapshotOf(async (save, content) => {
      const files = Array.from({ length: 20 }, (_, at) => node(`file ${at}`, { content }))
      return [node('open', { type: 'dir', mode: goMode(0o040_755), content: null, subtree: await save(files) })]
    })
    let swapped = false
    const swap = () => {
      if (swapped) return
      swapped = true
      renameSync(join(dir.path, 'open'), join(dir.path, 'moved'))
      symlinkSync(outside.path, join(dir.path, 'open'))
    }
    const before = statSync(outside.path).mode
    const job = { ...made, target: dir.path, noLock: true, overwrite: true, threads }
    const summary = await restoreSnapshot(job, swap, signal)
    expect(swapped).toBe(true)
    expect(readdirSync(outside.path)).toEqual([])
    expect(statSync(outside.path).mode).toBe(before)
    expect(summary.skipped.map(({ path }) => path)).toContain(join(dir.path, 'open'))
  },
)

test.each([0, 2])(
  'a file whose name the target does not take is left out by %i threads and named, the others are restored',
  async (threads) => {
    using dir = folder()
    const long = 'n'.repeat(300)
    const made = await snapshotOf(async (_, content) => [node('blocked', { content }), node(long, { content }), node('z', {})])
    mkdirSync(join(dir.path, 'blocked'))
    const job = { ...made, target: dir.path, noLock: true, overwrite: true, verify: true, threads }
    const summary = await restoreSnapshot(job, () => {}, signal)
    expect(summary).toMatchObject({ files: 1, sizeBytes: 0 })
    expect(summary.skipped.map(({ path }) => path)).toEqual([join(dir.path, 'blocked'), join(dir.path, long)])
    for (const { reason } of summary.skipped) expect(reason).not.toContain('/proc/')
    expect(readdirSync(dir.path)).toEqual(['blocked', 'z'])
  },
)
