import { expect, test } from 'vitest'
import { sha256Hex } from '../kernel/index.ts'
import {
  createRepository,
  encodeTree,
  formatTime,
  openRepository,
  resticLockTimes,
  type Repository,
  type Snapshot,
  type TreeNode,
} from '../repository/index.ts'
import { createMemoryBackend, faulty, type Backend, type FaultRule } from '../storage/index.ts'
import { checkRepository } from './check.ts'
import type { CheckProgress } from './check/findings.ts'

const password = 'secret'
const nowNs = () => BigInt(Date.now()) * 1_000_000n
const signal = new AbortController().signal

/** Nobody else is at work here: there is nothing to wait for. */
function open(backend: Backend): Promise<Repository> {
  return openRepository(backend, password, signal, { lockTimes: { ...resticLockTimes, settleMs: 0 } })
}

function node(name: string, fields: Partial<TreeNode>): TreeNode {
  const time = nowNs()
  return {
    name: Buffer.from(name),
    type: 'file',
    mode: 0o600,
    mtime: time,
    atime: time,
    ctime: time,
    uid: 0,
    gid: 0,
    content: null,
    ...fields,
  }
}

async function* pieces(content: string) {
  yield Buffer.from(content)
}

interface Sample {
  readonly backend: Backend
  readonly repository: Repository
  /** /deep/kept and /deep/lost. */
  readonly both: Snapshot
  /** /kept alone. */
  readonly one: Snapshot
  readonly lostBlob: string
  /** The pack of each kind of blob: the second data pack holds only what `lost` needs. */
  readonly packs: { readonly tree: string; readonly kept: string; readonly lost: string }
}

let made: Promise<Sample> | undefined

/** A copy for one test to damage: making one takes longer than checking it. */
async function sample(): Promise<Sample> {
  made ??= makeSample()
  const original = await made
  const backend = createMemoryBackend()
  for (const kind of ['config', 'keys', 'snapshots', 'index', 'data'] as const)
    for await (const { name } of original.backend.list(kind))
      await backend.put(kind, name, await original.backend.get(kind, name))
  return { ...original, backend, repository: await open(backend) }
}

/** Two snapshots; a file that both have, and one that only the first has, in a pack of its own. */
async function makeSample(): Promise<Sample> {
  const backend = createMemoryBackend()
  const repository = await createRepository(backend, password, { kdf: { N: 1024, r: 8, p: 1 } })
  await using writer = await repository.createWriter({ workers: 1 })
  const save = async (content: string) => writer.saveStream(pieces(content))
  const kept = await save('kept')
  await writer.flush()
  const lost = await save('lost')
  const deep = await writer.saveTree(
    encodeTree([node('kept', { content: kept.content }), node('lost', { content: lost.content })]),
  )
  const trees = [
    encodeTree([node('deep', { type: 'dir', subtree: deep.id })]),
    encodeTree([node('kept', { content: kept.content })]),
  ]
  const saved = []
  for (const tree of trees) saved.push((await writer.saveTree(tree)).id)
  await writer.flush()
  const snapshots = []
  // A second apart, in the order in which a check tells of them.
  for (const [at, tree] of saved.entries()) {
    const time = formatTime(nowNs() - BigInt(10 - at) * 1_000_000_000n)
    snapshots.push(await repository.saveSnapshot({ time, tree, paths: ['/'] }))
  }
  const [both, one] = snapshots as [Snapshot, Snapshot]
  const index = await repository.loadIndex()
  const packOf = (type: 'data' | 'tree', id: string) => index.lookup(type, id)?.pack ?? ''
  const lostBlob = lost.content[0] ?? ''
  const packs = { tree: packOf('tree', both.tree), kept: packOf('data', kept.content[0] ?? ''), lost: packOf('data', lostBlob) }
  return { backend, repository, both, one, lostBlob, packs }
}

async function check(backend: Backend, { readData = false, faults = [] as readonly FaultRule[] } = {}) {
  const repository = await open(faulty(backend, faults))
  return checkRepository({ repository, readData }, () => {}, signal)
}

async function alter(backend: Backend, kind: 'data' | 'index', name: string, change: (bytes: Uint8Array) => Uint8Array) {
  await backend.put(kind, name, change(await backend.get(kind, name)))
}

const flipBit = (at: number) => (bytes: Uint8Array) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))

test('a sound repository has no findings, and the report says what was looked at', async () => {
  const { backend, repository } = await sample()
  await repository.area('holdfast/wal').put('1/a', Buffer.from('wal'))
  expect(await check(backend)).toMatchObject({
    ok: true,
    findings: [],
    snapshots: 2,
    trees: 3,
    packs: 3,
    blobs: 5,
    depth: 'structure',
    readBytes: 0,
  })
  const report = await check(backend, { readData: true })
  expect(report).toMatchObject({ ok: true, findings: [], depth: 'data', areaObjects: 1 })
  const sizes = await Array.fromAsync(backend.list('data'), ({ sizeBytes }) => sizeBytes)
  expect(report.readBytes).toBeGreaterThan(sizes.reduce((sum, size) => sum + size))
})

test('a repository without snapshots is not sound: nothing was checked', async () => {
  const backend = createMemoryBackend()
  await createRepository(backend, password, { kdf: { N: 1024, r: 8, p: 1 } })
  expect(await check(backend, { readData: true })).toMatchObject({ ok: false, findings: [{ code: 'nothing-checked' }] })
})

test('a flipped bit is found by reading the data, and the pack, the blob, the snapshot and the path are named', async () => {
  const { backend, both, packs, lostBlob } = await sample()
  await alter(backend, 'data', packs.lost, flipBit(20))
  expect(await check(backend)).toMatchObject({ ok: true })
  const report = await check(backend, { readData: true })
  expect(report.ok).toBe(false)
  expect(report.findings).toEqual([
    expect.objectContaining({
      code: 'pack-damaged',
      pack: packs.lost,
      blobs: [lostBlob],
      snapshots: [both.id],
      paths: ['/deep/lost'],
    }),
  ])
})

test('a flipped bit in what both snapshots share affects both', async () => {
  const { backend, both, one, packs } = await sample()
  await alter(backend, 'data', packs.kept, flipBit(20))
  const { findings } = await check(backend, { readData: true })
  expect(findings).toMatchObject([{ code: 'pack-damaged', pack: packs.kept, paths: ['/deep/kept', '/kept'] }])
  expect(findings).toMatchObject([{ snapshots: expect.arrayContaining([both.id, one.id]) }])
})

test('a flipped bit in a pack of trees is found without reading the data', async () => {
  const { backend, packs } = await sample()
  await alter(backend, 'data', packs.tree, flipBit(20))
  const { ok, findings } = await check(backend)
  expect(ok).toBe(false)
  expect(findings).toMatchObject([{ code: 'pack-damaged', pack: packs.tree }])
})

test('a flipped bit in a header leaves its blobs whole, and is a finding all the same', async () => {
  const { backend, packs } = await sample()
  const { length } = await backend.get('data', packs.lost)
  await alter(backend, 'data', packs.lost, flipBit(length - 10))
  const { findings } = await check(backend, { readData: true })
  expect(findings).toMatchObject([{ code: 'pack-damaged', pack: packs.lost, blobs: [], snapshots: [] }])
})

test.each([
  ['missing', 'pack-missing', async (backend: Backend, pack: string) => backend.delete('data', pack)],
  [
    'cut short',
    'pack-size',
    async (backend: Backend, pack: string) => alter(backend, 'data', pack, (bytes) => bytes.slice(0, -3)),
  ],
  ['empty', 'pack-size', async (backend: Backend, pack: string) => alter(backend, 'data', pack, () => new Uint8Array())],
])('a pack that is %s is found at once, with what it costs', async (_what, code, damage) => {
  const { backend, both, packs } = await sample()
  await damage(backend, packs.lost)
  const { ok, findings } = await check(backend)
  expect(ok).toBe(false)
  expect(findings).toEqual([expect.objectContaining({ code, pack: packs.lost, snapshots: [both.id], paths: ['/deep/lost'] })])
})

test('an index of zero bytes is a finding, and what it held is looked up in the packs', async () => {
  const { backend } = await sample()
  for await (const { name } of backend.list('index')) await backend.put('index', name, new Uint8Array())
  const { ok, findings, trees } = await check(backend, { readData: true })
  expect(ok).toBe(false)
  expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(['index-unreadable']))
  expect(trees).toBe(3)
})

test('blobs that no index names are missing', async () => {
  const { backend, both, lostBlob } = await sample()
  const repository = await open(backend)
  for await (const { name } of backend.list('index')) {
    const packs = await repository.readIndex(name)
    if (packs.some(({ blobs }) => blobs.some(({ id }) => id === lostBlob))) await backend.delete('index', name)
  }
  const { findings } = await check(backend)
  expect(findings.filter(({ code }) => code === 'blob-missing')).toContainEqual(
    expect.objectContaining({ blob: both.tree, type: 'tree', snapshots: [both.id] }),
  )
})

test('residue of an interrupted backup is a note, not an error', async () => {
  const { backend } = await sample()
  await backend.put('data', sha256Hex('residue'), Buffer.from('residue'))
  expect(await check(backend, { readData: true })).toMatchObject({
    ok: true,
    findings: [{ severity: 'note', code: 'pack-unreferenced', pack: sha256Hex('residue') }],
  })
})

test('a snapshot that cannot be read and one from the future are findings', async () => {
  const { backend, repository, one } = await sample()
  await backend.put('snapshots', one.id, new Uint8Array())
  const future = await repository.saveSnapshot({ time: formatTime(nowNs() + 10n ** 15n), tree: one.tree, paths: ['/'] })
  const { ok, findings } = await check(backend)
  expect(ok).toBe(false)
  expect(findings).toHaveLength(2)
  expect(findings).toContainEqual(expect.objectContaining({ code: 'snapshot-unreadable', snapshot: one.id }))
  expect(findings).toContainEqual(expect.objectContaining({ code: 'snapshot-in-future', snapshot: future.id }))
})

test.each([
  ['a name that leads out of its directory', '{"nodes":[{"name":"..","type":"file","content":[]}]}', 'leads out'],
  [
    'names out of order',
    '{"nodes":[{"name":"b","type":"file","content":[]},{"name":"a","type":"file","content":[]}]}',
    'not in order',
  ],
  ['a file without content', '{"nodes":[{"name":"a","type":"file","content":null}]}', 'without a list of content'],
  ['a directory without a tree', '{"nodes":[{"name":"a","type":"dir"}]}', 'without a tree'],
  ['no JSON', 'nonsense', 'not JSON'],
])('a tree with %s is a finding', async (_what, text, why) => {
  const { backend, repository } = await sample()
  await using writer = await repository.createWriter({ workers: 1 })
  const { id: tree } = await writer.saveTree(Buffer.from(text))
  await writer.flush()
  await repository.saveSnapshot({ time: formatTime(nowNs()), tree, paths: ['/'] })
  expect(await check(backend)).toMatchObject({
    ok: false,
    findings: [{ code: 'tree-malformed', tree, reason: expect.stringContaining(why) }],
  })
})

test('a damaged object of WAL is found by reading the data', async () => {
  const { backend, repository } = await sample()
  await repository.area('holdfast/wal').put('1/a', Buffer.from('wal'))
  await backend.put('holdfast/wal', '1/a', flipBit(30)(await backend.get('holdfast/wal', '1/a')))
  expect(await check(backend)).toMatchObject({ ok: true })
  expect(await check(backend, { readData: true })).toMatchObject({
    ok: false,
    findings: [{ code: 'area-object-damaged', object: 'holdfast/wal/1/a' }],
  })
})

test('what was read wrong once and right the second time is a note about the storage', async () => {
  const { backend, packs } = await sample()
  // The first get of the pack reads it whole: only the data of files is in it.
  const faults: FaultRule[] = [{ on: 'get', kind: 'data', name: packs.lost, fault: { type: 'flip-bit', bit: 99 } }]
  expect(await check(backend, { readData: true, faults })).toMatchObject({
    ok: true,
    findings: [{ code: 'read-unstable', pack: packs.lost }],
  })
})

test('progress begins and ends every phase, and bytes add up', async () => {
  const { backend } = await sample()
  const events: CheckProgress[] = []
  const repository = await open(backend)
  const { readBytes } = await checkRepository({ repository, readData: true }, (event) => events.push(event), signal)
  expect(new Set(events.map(({ phase }) => phase))).toEqual(new Set(['indexes', 'snapshots', 'packs']))
  const last = events.findLast(({ phase }) => phase === 'packs')
  expect(last).toMatchObject({ done: 3, total: 3, bytesDone: readBytes, bytesTotal: readBytes })
})

test('an aborted check ends with the reason, and leaves no lock', async () => {
  const { backend } = await sample()
  const repository = await open(backend)
  const stop = new AbortController()
  const reason = new Error('enough')
  const checking = checkRepository({ repository, readData: true }, () => stop.abort(reason), stop.signal)
  await expect(checking).rejects.toBe(reason)
  expect(await Array.fromAsync(backend.list('locks'))).toEqual([])
})
