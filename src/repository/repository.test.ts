import { expect, test } from 'vitest'
import { HoldfastError, sha256Hex } from '../kernel/index.ts'
import { createMemoryBackend, faulty, type Backend } from '../storage/index.ts'
import { createRepository, encodeTree, formatTime, openRepository, type Repository, type TreeNode } from './index.ts'

const password = 'secret'
const kdf = { N: 1024, r: 8, p: 1 }
const nowNs = () => BigInt(Date.now()) * 1_000_000n

async function repositoryIn(backend: Backend = createMemoryBackend()): Promise<Repository> {
  return createRepository(backend, password, { kdf })
}

/** One snapshot of a folder with one file, written with two threads' worth of packs and one index. */
async function saveFile(
  repository: Repository,
  content: string,
  fields: { paths?: string[]; tags?: string[]; hostname?: string; time?: bigint } = {},
) {
  await using writer = await repository.createWriter({ workers: 1 })
  const saved = await writer.saveStream(pieces(content))
  const time = nowNs()
  const node: TreeNode = {
    name: Buffer.from('file'),
    type: 'file',
    mode: 0o600,
    mtime: time,
    atime: time,
    ctime: time,
    uid: 0,
    gid: 0,
    content: saved.content,
  }
  const { id: tree } = await writer.saveTree(encodeTree([node]))
  await writer.flush()
  const { paths = ['/data'], tags = [], hostname = 'here', time: at = time } = fields
  return repository.saveSnapshot({ time: formatTime(at), tree, paths, tags, hostname })
}

async function* pieces(content: string) {
  yield Buffer.from(content)
}

async function onlyName(backend: Backend, kind: 'index' | 'snapshots' | 'keys'): Promise<string> {
  const [first] = await Array.fromAsync(backend.list(kind))
  return first?.name ?? ''
}

test('what one writes, another opens and reads', async () => {
  const backend = createMemoryBackend()
  const written = await saveFile(await repositoryIn(backend), 'content')
  const repository = await openRepository(backend, password)
  const snapshot = await repository.findSnapshot(written.id.slice(0, 6))
  expect(snapshot).toEqual(written)
  const [node] = await repository.readTree(snapshot.tree)
  expect(Buffer.from(await repository.readBlob('data', node?.content?.[0] ?? '')).toString()).toBe('content')
})

test('a wrong password, an empty place and another one are told apart', async () => {
  const backend = createMemoryBackend()
  await expect(openRepository(backend, password)).rejects.toMatchObject({ code: 'no-repository', exitCode: 10 })
  await backend.put('holdfast/wal', 'something', new Uint8Array(1))
  await expect(openRepository(backend, password)).rejects.toMatchObject({ code: 'not-a-repository', exitCode: 10 })
  await repositoryIn(backend)
  await expect(openRepository(backend, 'Secret')).rejects.toMatchObject({ code: 'wrong-password', exitCode: 12 })
})

test('a key with a flipped bit is named as damaged, and the right password not called wrong', async () => {
  const backend = createMemoryBackend()
  await repositoryIn(backend)
  const name = await onlyName(backend, 'keys')
  const text = Buffer.from(await backend.get('keys', name)).toString('utf8')
  const sealed = text.indexOf('"data":"') + 20
  const altered = text.slice(0, sealed) + (text[sealed] === 'A' ? 'B' : 'A') + text.slice(sealed + 1)
  await backend.delete('keys', name)
  await backend.put('keys', name, Buffer.from(altered))
  await expect(openRepository(backend, password)).rejects.toMatchObject({
    code: 'object-damaged',
    details: { kind: 'keys', name },
  })
})

test('no repository is made over another or over the remains of one', async () => {
  const backend = createMemoryBackend()
  await repositoryIn(backend)
  await expect(repositoryIn(backend)).rejects.toMatchObject({ code: 'repository-exists' })
  await backend.delete('config', '')
  await expect(repositoryIn(backend)).rejects.toMatchObject({ code: 'repository-exists' })
})

test('a repository whose making was cut short does not exist', async () => {
  const backend = createMemoryBackend()
  const cut = faulty(backend, [{ on: 'put', kind: 'config', fault: { type: 'crash', at: 'before' } }])
  await expect(repositoryIn(cut)).rejects.toMatchObject({ code: 'storage-failed' })
  await expect(openRepository(backend, password)).rejects.toMatchObject({ code: 'not-a-repository' })
})

test.each([
  ['empty', () => new Uint8Array()],
  ['cut short', (bytes: Uint8Array) => bytes.slice(0, -1)],
  ['altered', (bytes: Uint8Array) => bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte))],
])('an index file that is %s costs nothing but its warning: the packs say what they hold', async (_what, damage) => {
  const backend = createMemoryBackend()
  const snapshot = await saveFile(await repositoryIn(backend), 'content')
  const name = await onlyName(backend, 'index')
  await backend.put('index', name, damage(await backend.get('index', name)))
  const repository = await openRepository(backend, password)
  expect(await repository.readTree(snapshot.tree)).toHaveLength(1)
  expect(repository.unreadableIndexes).toMatchObject([{ id: name }])
})

test('what another writer indexed after ours was loaded is found', async () => {
  const backend = createMemoryBackend()
  const ours = await repositoryIn(backend)
  expect((await ours.loadIndex()).size).toBe(0)
  const snapshot = await saveFile(await openRepository(backend, password), 'theirs')
  expect(await ours.readTree(snapshot.tree)).toHaveLength(1)
})

test('a blob that somebody else has moved since the index was loaded is found where it is now', async () => {
  const backend = createMemoryBackend()
  const reader = await repositoryIn(backend)
  const pruner = await openRepository(backend, password)
  const { tree } = await saveFile(pruner, 'content')
  const id = (await reader.readTree(tree))[0]?.content?.[0] ?? ''
  // As prune does it: new packs, a new index, then the old ones go.
  const names = async (kind: 'data' | 'index') => Array.fromAsync(backend.list(kind), ({ name }) => name)
  const [packs, indexes] = [await names('data'), await names('index')]
  for (const name of packs) (await pruner.loadIndex()).setAside(name)
  await saveFile(pruner, 'content')
  for (const name of indexes) await backend.delete('index', name)
  for (const name of packs) await backend.delete('data', name)
  expect(Buffer.from(await reader.readBlob('data', id)).toString()).toBe('content')
})

test('a blob that no index names is missing; one that is altered is damage and names its pack', async () => {
  const backend = createMemoryBackend()
  const writer = await repositoryIn(backend)
  const snapshot = await saveFile(writer, 'content')
  await expect(writer.readTree(sha256Hex('nothing'))).rejects.toMatchObject({ code: 'blob-missing' })
  const location = (await writer.loadIndex()).lookup('tree', snapshot.tree)
  const repository = await openRepository(
    faulty(backend, [{ on: 'get', kind: 'data', times: 9, fault: { type: 'flip-bit', bit: 200 } }]),
    password,
  )
  await expect(repository.readTree(snapshot.tree)).rejects.toMatchObject({
    code: 'pack-damaged',
    details: { pack: location?.pack, blob: snapshot.tree },
  })
  await backend.delete('data', location?.pack ?? '')
  await expect(repository.readTree(snapshot.tree)).rejects.toMatchObject({
    code: 'pack-damaged',
    details: { pack: location?.pack },
  })
})

test('latest is the newest that matches, and never one from the future', async () => {
  const repository = await repositoryIn()
  const hour = 3_600_000_000_000n
  const old = await saveFile(repository, 'a', { time: nowNs() - 2n * hour, tags: ['x', 'y'] })
  const recent = await saveFile(repository, 'b', { time: nowNs() - hour, paths: ['/data', '/more'] })
  const future = await saveFile(repository, 'c', { time: nowNs() + 24n * hour, tags: ['future'] })
  const latest = async (filter: Parameters<Repository['findSnapshot']>[1]) => (await repository.findSnapshot('latest', filter)).id
  expect(await latest({})).toBe(recent.id)
  expect(await latest({ tags: ['x'] })).toBe(old.id)
  expect(await latest({ paths: ['/more'] })).toBe(recent.id)
  await expect(latest({ host: 'elsewhere' })).rejects.toMatchObject({ code: 'snapshot-not-found' })
  await expect(latest({ tags: ['future'] })).rejects.toMatchObject({ code: 'snapshot-not-found' })
  expect((await repository.snapshots()).map(({ id }) => id)).toEqual([old.id, recent.id, future.id])
})

test('an id must say which snapshot it means', async () => {
  const repository = await repositoryIn()
  // Of 17 ids two begin alike.
  for (let at = 0; at < 17; at++)
    await repository.saveSnapshot({ time: formatTime(nowNs()), tree: sha256Hex(`${at}`), paths: [] })
  const firsts = (await repository.snapshotIds()).map((id) => id.slice(0, 1))
  const twice = firsts.find((first, at) => firsts.indexOf(first) !== at) ?? ''
  await expect(repository.findSnapshot(twice)).rejects.toMatchObject({ code: 'snapshot-ambiguous', exitCode: 2 })
  await expect(repository.findSnapshot('zz')).rejects.toMatchObject({ code: 'snapshot-not-found', exitCode: 1 })
  await expect(repository.findSnapshot('')).rejects.toMatchObject({ code: 'snapshot-not-found' })
})

test('a snapshot that was altered or renamed is refused, and so is the list with it', async () => {
  const backend = createMemoryBackend()
  const repository = await repositoryIn(backend)
  const snapshot = await saveFile(repository, 'a')
  await backend.put('snapshots', sha256Hex('another name'), await backend.get('snapshots', snapshot.id))
  await expect(repository.readSnapshot(sha256Hex('another name'))).rejects.toMatchObject({ code: 'object-damaged' })
  await expect(repository.snapshots()).rejects.toMatchObject({ code: 'object-damaged' })
  expect((await repository.findSnapshot(snapshot.id)).id).toBe(snapshot.id)
})

test('the exact JSON of a snapshot is kept, with fields nobody knows', async () => {
  const repository = await repositoryIn()
  const snapshot = await repository.saveSnapshot({
    time: '2026-01-02T03:04:05.6+01:00',
    tree: sha256Hex('t'),
    paths: ['/p'],
    uid: 0,
    tags: [],
  })
  expect(Buffer.from(snapshot.raw).toString()).toBe(
    `{"time":"2026-01-02T03:04:05.6+01:00","tree":"${sha256Hex('t')}","paths":["/p"]}`,
  )
  expect(snapshot.timeMs).toBe(Date.parse('2026-01-02T02:04:05.600Z'))
})

test('sealed objects come back, and are refused under another name or another folder', async () => {
  const backend = createMemoryBackend()
  const repository = await repositoryIn(backend)
  const wal = repository.area('holdfast/wal')
  const content = Buffer.from('a range of WAL '.repeat(1000))
  await wal.put('1/a', content)
  expect(Buffer.from(await wal.get('1/a'))).toEqual(content)
  const stored = await backend.get('holdfast/wal', '1/a')
  expect(stored.length).toBeLessThan(content.length)
  await backend.put('holdfast/wal', '1/b', stored)
  await backend.put('holdfast/ledger', '1/a', stored)
  await expect(wal.get('1/b')).rejects.toMatchObject({ code: 'object-damaged', details: { object: 'holdfast/wal/1/b' } })
  await expect(repository.area('holdfast/ledger').get('1/a')).rejects.toMatchObject({ code: 'object-damaged' })
  await expect(wal.put('1/a', content, { ifAbsent: true })).rejects.toMatchObject({ code: 'already-exists' })
  await wal.put('empty', new Uint8Array())
  expect(await wal.get('empty')).toHaveLength(0)
})

test('unlock removes stale locks only, or all when told so', async () => {
  const backend = createMemoryBackend()
  const repository = await repositoryIn(backend)
  await using lock = await repository.lock('shared')
  await backend.put('locks', sha256Hex('empty'), new Uint8Array())
  expect(await repository.unlock()).toEqual([])
  expect(await repository.locks()).toMatchObject([{ stale: false, info: { pid: process.pid } }])
  expect(await repository.unlock({ all: true })).toHaveLength(1)
  expect(await Array.fromAsync(backend.list('locks'))).toEqual([])
  expect(lock.mode).toBe('shared')
})

test('where no lock can be written, the refusal says how to read all the same', async () => {
  const error = new HoldfastError('permission-denied', { message: 'EROFS: read-only file system', hint: 'mount it writable' })
  const backend = faulty(createMemoryBackend(), [{ on: 'put', kind: 'locks', times: 9, fault: { type: 'error', error } }])
  const repository = await repositoryIn(backend)
  await expect(repository.lock('shared')).rejects.toMatchObject({
    code: 'permission-denied',
    hint: expect.stringMatching(/mount it writable.*--no-lock/) as string,
  })
})
