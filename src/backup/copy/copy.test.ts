import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { memoryRepository, openMemoryRepository, snapshotOf } from '../../../test/support/snapshot-of.ts'
import { HoldfastError } from '../../kernel/index.ts'
import { formatTime, type Repository, type Snapshot } from '../../repository/index.ts'
import { createMemoryBackend, faulty, type Backend, type FaultRule } from '../../storage/index.ts'
import { checkRepository } from '../check.ts'
import { listTree } from '../list-tree.ts'
import { copySnapshots, type CopyJob } from './copy-snapshots.ts'

const { signal } = new AbortController()
const second = 1_000_000_000n

const copy = (from: Repository, to: Repository, snapshots: readonly Snapshot[], more: Partial<CopyJob> = {}) =>
  copySnapshots({ from, to, snapshots, copier: { workers: 1 }, ...more }, () => {}, signal)

/** With two snapshots that share a file. */
async function source() {
  const from = await memoryRepository()
  const older = await snapshotOf(
    from,
    [
      ['data/shared', 'in both'],
      ['data/inner/old', randomBytes(3_000_000)],
    ],
    { time: formatTime(1_600_000_000n * second), tags: ['a'] },
  )
  const newer = await snapshotOf(
    from,
    [
      ['data/shared', 'in both'],
      ['data/new', 'x'.repeat(100_000)],
    ],
    { time: formatTime(1_700_000_000n * second), parent: older.id },
  )
  return { from, older, newer }
}

async function errorsIn(repository: Repository) {
  const { findings } = await checkRepository({ repository, readData: true }, () => {}, signal)
  return findings.filter(({ severity, code }) => severity === 'error' && code !== 'nothing-checked')
}

test('a copy has the same trees and fields, names what it is a copy of, and has no parent', async () => {
  const { from, older, newer } = await source()
  const to = await memoryRepository()
  const { copied, alreadyThere, failed } = await copy(from, to, [older, newer])
  expect({ alreadyThere, failed }).toEqual({ alreadyThere: [], failed: [] })
  // The newest first: it is what a recovery wants.
  expect(copied.map(({ source }) => source.id)).toEqual([newer.id, older.id])
  const [first, last] = await to.snapshots()
  expect(first).toMatchObject({ tree: older.tree, time: older.time, tags: ['a'], original: older.id, hostname: 'here' })
  expect(last).toMatchObject({ tree: newer.tree, original: newer.id })
  expect(last?.parent).toBeUndefined()
  expect(await errorsIn(to)).toEqual([])
  const listed = await Array.fromAsync(listTree({ repository: to, snapshot: first ?? older }), ({ path }) => path.toString())
  expect(listed).toEqual(['/data', '/data/inner', '/data/inner/old', '/data/shared'])
})

test('copying again copies nothing, and a copy of a copy counts as the same', async () => {
  const { from, older, newer } = await source()
  const [to, third] = [await memoryRepository(), await memoryRepository()]
  await copy(from, to, [older, newer])
  const again = await copy(from, to, [older, newer])
  expect(again).toMatchObject({ copied: [], dataBlobs: 0, treeBlobs: 0, storedBytes: 0 })
  expect(again.alreadyThere).toHaveLength(2)
  await copy(to, third, await to.snapshots())
  expect((await third.snapshots()).map(({ original }) => original)).toEqual([older.id, newer.id])
  expect(await copy(from, third, [older, newer])).toMatchObject({ copied: [], treeBlobs: 0 })
  // A copy that came back would be the snapshot itself.
  expect(await copy(third, from, await third.snapshots())).toMatchObject({ copied: [] })
})

test('only what is missing is moved', async () => {
  const { from, older, newer } = await source()
  const to = await memoryRepository()
  await copy(from, to, [newer])
  const { dataBlobs, copied } = await copy(from, to, [older])
  const index = await from.loadIndex()
  const old = [...index.entries()].filter(({ type }) => type === 'data').length
  expect(copied).toHaveLength(1)
  // All but the shared file and that of the newer one.
  expect(dataBlobs).toBe(old - 2)
})

test('a dry run says what would be moved, and moves nothing', async () => {
  const { from, older, newer } = await source()
  const to = await memoryRepository()
  const dry = await copy(from, to, [older, newer], { dryRun: true })
  expect(await Array.fromAsync(to.backend.list('data'))).toEqual([])
  expect(await to.snapshots()).toEqual([])
  const { dataBlobs, treeBlobs, copiedBytes, storedBytes } = await copy(from, to, [older, newer])
  expect(dry).toMatchObject({ dataBlobs, treeBlobs, copiedBytes, storedBytes })
})

test('fields of a snapshot that Holdfast does not know are kept', async () => {
  const { from, newer } = await source()
  const raw = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(newer.raw).toString()), label: 'rustic has these' }))
  const to = await memoryRepository()
  await copy(from, to, [{ ...newer, raw }])
  const [copied] = await to.snapshots()
  expect(JSON.parse(Buffer.from(copied?.raw ?? []).toString())).toMatchObject({ label: 'rustic has these', original: newer.id })
})

test.each<[string, FaultRule]>([
  ['before the first pack', { on: 'put', kind: 'data', fault: { type: 'crash', at: 'before' } }],
  ['after the first pack', { on: 'put', kind: 'data', fault: { type: 'crash', at: 'after' } }],
  ['before the index', { on: 'put', kind: 'index', fault: { type: 'crash', at: 'before' } }],
  ['after the index', { on: 'put', kind: 'index', fault: { type: 'crash', at: 'after' } }],
  ['before the first snapshot', { on: 'put', kind: 'snapshots', fault: { type: 'crash', at: 'before' } }],
  ['between the snapshots', { on: 'put', kind: 'snapshots', fault: { type: 'crash', at: 'after' } }],
  [
    'at a full disk',
    { on: 'put', kind: 'data', nth: 2, fault: { type: 'error', error: new HoldfastError('disk-full', { message: 'no room' }) } },
  ],
])('interrupted %s, a copy leaves a valid repository, and the next one goes on', async (_, rule) => {
  const { from, older, newer } = await source()
  const backend: Backend = createMemoryBackend()
  await memoryRepository(backend)
  const failing = await openMemoryRepository(faulty(backend, [rule]))
  await expect(copy(from, failing, [older, newer], { copier: { workers: 1, packBytes: 1_000_000 } })).rejects.toThrow()
  const to = await openMemoryRepository(backend)
  await to.unlock({ all: true })
  expect(await errorsIn(to)).toEqual([])
  const { copied, alreadyThere } = await copy(from, to, [older, newer])
  expect(copied.length + alreadyThere.length).toBe(2)
  expect(await to.snapshots()).toHaveLength(2)
  expect(await errorsIn(to)).toEqual([])
})

test('damage in the source fails the snapshots that need what is damaged, and no other', async () => {
  const { from, older, newer } = await source()
  const index = await from.loadIndex()
  const [inner] = (await from.readTree(older.tree)).flatMap(({ subtree }) => subtree ?? [])
  const nodes = await from.readTree(inner ?? '')
  const old = (await from.readTree(nodes.find(({ name }) => name.toString() === 'inner')?.subtree ?? ''))[0]
  const place = index.lookup('data', old?.content?.[0] ?? '')
  if (place === undefined) throw new Error('the blob is nowhere')
  const bytes = new Uint8Array(await from.backend.get('data', place.pack))
  bytes[place.offset + 100] = (bytes[place.offset + 100] ?? 0) ^ 1
  await from.backend.put('data', place.pack, bytes)
  const to = await memoryRepository()
  const { copied, failed } = await copy(from, to, [older, newer])
  expect(copied.map(({ source }) => source.id)).toEqual([newer.id])
  expect(failed).toMatchObject([{ source: { id: older.id }, error: { code: 'pack-damaged', details: { pack: place.pack } } }])
  expect(await errorsIn(to)).toEqual([])
  // A tree that is missing altogether is seen before anything is moved.
  await from.backend.delete('data', index.lookup('tree', older.tree)?.pack ?? '')
  const reopened = await openMemoryRepository(from.backend)
  expect((await copy(reopened, await memoryRepository(), [older])).failed).toMatchObject([{ error: { code: 'pack-damaged' } }])
})

test('a blob that is damaged in one pack is taken from another', async () => {
  const { from, newer } = await source()
  const index = await from.loadIndex()
  const first = [...index.entries()].find(({ type }) => type === 'data')
  if (first === undefined) throw new Error('there is no blob')
  const good = await from.readBlob('data', first.id)
  expect(good.length).toBeGreaterThan(0)
  const from2 = await memoryRepository()
  await copy(from, from2, [newer])
  // The same blobs once more, in packs of their own.
  await using copier = await from2.createCopier(from, { workers: 1 })
  const places = [...index.entries()].filter(({ pack }) => pack === index.lookup('tree', newer.tree)?.pack)
  await copier.copy(places[0]?.pack ?? '', places, () => {})
  await copier.flush()
  const mine = await from2.refreshIndex()
  const [broken] = mine.lookupAll('tree', newer.tree)
  if (broken === undefined) throw new Error('the tree is nowhere')
  expect(mine.lookupAll('tree', newer.tree)).toHaveLength(2)
  const bytes = new Uint8Array(await from2.backend.get('data', broken.pack))
  bytes[broken.offset + 40] = (bytes[broken.offset + 40] ?? 0) ^ 1
  await from2.backend.put('data', broken.pack, bytes)
  const to = await memoryRepository()
  expect((await copy(from2, to, await from2.snapshots())).failed).toEqual([])
  expect(await errorsIn(to)).toEqual([])
})

test('packs that are named in the destination and gone do not count as there', async () => {
  const { from, older, newer } = await source()
  const to = await memoryRepository()
  await copy(from, to, [newer])
  for await (const { name } of to.backend.list('data')) await to.backend.delete('data', name)
  for (const { id } of await to.snapshots()) await to.forgetSnapshot(id)
  const reopened = await openMemoryRepository(to.backend)
  await copy(from, reopened, [older, newer])
  const { findings } = await checkRepository(
    { repository: await openMemoryRepository(to.backend), readData: true },
    () => {},
    signal,
  )
  expect(findings.filter(({ code }) => code === 'blob-missing')).toEqual([])
  expect(await Array.fromAsync(listTree({ repository: reopened, snapshot: newer }))).toHaveLength(3)
})
