import { existsSync, mkdirSync, mkdtempDisposableSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  createRepository,
  encodeTree,
  formatTime,
  maxRangeBytes,
  type Repository,
  type Snapshot,
} from '../../repository/index.ts'
import { createMemoryBackend, faulty, type Backend, type FaultRule } from '../../storage/index.ts'
import { goMode } from '../file-mode.ts'
import { TreeBuilder, type EntryNode } from '../tree-builder.ts'
import { restoreSnapshot, type RestoreJob } from './restore-snapshot.ts'

const { signal } = new AbortController()
const kdf = { N: 32768, r: 8, p: 1 }
const when = 1_500_000_000_123_456_789n

const plain = (type: EntryNode['type'], unixMode: number): EntryNode => ({
  type,
  mode: goMode(unixMode),
  mtime: when,
  atime: when,
  ctime: when,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  content: null,
})

async function* once(text: string) {
  yield Buffer.from(text)
}

/** A snapshot of text files, by path. `script` is what goes wrong when it is read. */
async function snapshotOf(
  files: Readonly<Record<string, string>>,
  { backend = createMemoryBackend(), script = [] }: { backend?: Backend; script?: FaultRule[] } = {},
): Promise<{ repository: Repository; snapshot: Snapshot } & AsyncDisposable> {
  const repository = await createRepository(faulty(backend, script), 'password', { kdf })
  const builder = new TreeBuilder()
  await using writer = await repository.createWriter({ workers: 1 })
  for (const [path, text] of Object.entries(files)) {
    const { content, sizeBytes } = await writer.saveStream(once(text))
    builder.add(path, { ...plain('file', 0o100_640), content, size: BigInt(sizeBytes), links: 1n })
  }
  const { tree } = await builder.finish(writer)
  await writer.flush()
  const snapshot = await repository.saveSnapshot({ time: formatTime(when), tree, paths: ['/'] })
  return { repository, snapshot, [Symbol.asyncDispose]: () => Promise.resolve(repository[Symbol.asyncDispose]()) }
}

const folder = () => mkdtempDisposableSync(join(tmpdir(), 'holdfast-restore-'))
const names = (path: string) => (readdirSync(path, { recursive: true }) as string[]).toSorted((a, b) => (a < b ? -1 : 1))

const sample = { 'a/b/one': 'first', 'a/two': 'second', three: 'third', 'empty file': '' }

describe.each([0, 2])('with %i threads', (threads) => {
  function restore(job: Pick<RestoreJob, 'repository' | 'snapshot' | 'target'> & Partial<RestoreJob>) {
    // A lock takes a while, and others are not here.
    return restoreSnapshot({ noLock: true, threads, ...job }, () => {}, signal)
  }

  test('where there is no such shared memory, each range gets memory of its own', async () => {
    using dir = folder()
    await using made = await snapshotOf(sample)
    const real = globalThis.SharedArrayBuffer
    const construct = (target: object, [bytes]: number[]) => {
      if (bytes === maxRangeBytes) throw new RangeError('Array buffer allocation failed')
      return Reflect.construct(target as typeof real, [bytes]) as object
    }
    Reflect.set(globalThis, 'SharedArrayBuffer', new Proxy(real, { construct }))
    try {
      const summary = await restore({ ...made, target: join(dir.path, 'out') })
      expect(summary).toMatchObject({ skipped: [] })
      expect(readFileSync(join(dir.path, 'out/a/b/one'), 'utf8')).toBe('first')
    } finally {
      Reflect.set(globalThis, 'SharedArrayBuffer', real)
    }
  })

  test('a snapshot becomes files again, in a target that did not exist', async () => {
    using dir = folder()
    await using backup = await snapshotOf(sample)
    const summary = await restore({ ...backup, target: join(dir.path, 'new/target') })
    expect(summary).toMatchObject({ files: 4, directories: 2, skipped: [], sizeBytes: 16, verifiedFiles: 0 })
    expect(names(summary.target)).toEqual(['a', 'a/b', 'a/b/one', 'a/two', 'empty file', 'three'])
    for (const [path, text] of Object.entries(sample)) expect(readFileSync(join(summary.target, path), 'utf8')).toBe(text)
  })

  test('a file is as long as its content, whatever its entry says', async () => {
    using dir = folder()
    await using repository = await createRepository(createMemoryBackend(), 'password', { kdf })
    await using writer = await repository.createWriter({ workers: 1 })
    const { content } = await writer.saveStream(once('12345'))
    const builder = new TreeBuilder()
    for (const size of [3n, 9n]) builder.add(`size ${size}`, { ...plain('file', 0o100_640), content, size })
    const { tree } = await builder.finish(writer)
    await writer.flush()
    const snapshot = await repository.saveSnapshot({ time: formatTime(when), tree, paths: ['/'] })
    await restore({ repository, snapshot, target: dir.path })
    for (const name of names(dir.path)) expect(readFileSync(join(dir.path, name), 'utf8')).toBe('12345')
  })

  test('verify reads every file back', async () => {
    using dir = folder()
    await using backup = await snapshotOf(sample)
    expect(await restore({ ...backup, target: join(dir.path, 'target'), verify: true })).toMatchObject({ verifiedFiles: 4 })
  })

  test('a subtree goes into the target without what is above it', async () => {
    using dir = folder()
    await using backup = await snapshotOf(sample)
    await restore({ ...backup, target: join(dir.path, 'target'), subtree: '/a/' })
    expect(names(join(dir.path, 'target'))).toEqual(['b', 'b/one', 'two'])
  })

  test('include restores only what was asked for, at its full path', async () => {
    using dir = folder()
    await using backup = await snapshotOf({ ...sample, 'a/bb/x': 'no' })
    const target = join(dir.path, 'target')
    await restore({ ...backup, target, include: ['/a/b', 'three'] })
    expect(names(target)).toEqual(['a', 'a/b', 'a/b/one', 'three'])
  })

  test('what is not in the snapshot is refused, and leaves no target behind', async () => {
    using dir = folder()
    await using backup = await snapshotOf(sample)
    const target = join(dir.path, 'new/target')
    await expect(restore({ ...backup, target, include: ['/nope'] })).rejects.toMatchObject({ code: 'not-found' })
    await expect(restore({ ...backup, target, subtree: '/three' })).rejects.toMatchObject({ code: 'not-found' })
    expect(existsSync(join(dir.path, 'new'))).toBe(false)
  })

  test('a target that is not empty is refused', async () => {
    using dir = folder()
    await using backup = await snapshotOf(sample)
    writeFileSync(join(dir.path, 'mine'), 'mine')
    await expect(restore({ ...backup, target: dir.path })).rejects.toMatchObject({ code: 'target-not-empty' })
    expect(names(dir.path)).toEqual(['mine'])
  })

  test('overwrite replaces entries of the same name and leaves the others', async () => {
    using dir = folder()
    await using backup = await snapshotOf(sample)
    mkdirSync(join(dir.path, 'a'))
    writeFileSync(join(dir.path, 'three'), 'older and longer')
    writeFileSync(join(dir.path, 'a/mine'), 'mine')
    await restore({ ...backup, target: dir.path, overwrite: true })
    expect(readFileSync(join(dir.path, 'three'), 'utf8')).toBe('third')
    expect(readFileSync(join(dir.path, 'a/mine'), 'utf8')).toBe('mine')
  })

  test('nothing is written through a symbolic link that stands in the target', async () => {
    using dir = folder()
    using outside = folder()
    await using backup = await snapshotOf(sample)
    symlinkSync(outside.path, join(dir.path, 'a'))
    await expect(restore({ ...backup, target: dir.path, overwrite: true })).rejects.toMatchObject({ code: 'target-unsafe' })
    expect(names(outside.path)).toEqual([])
  })

  test('a file in place of a link is replaced, not what the link points to', async () => {
    using dir = folder()
    using outside = folder()
    writeFileSync(join(outside.path, 'victim'), 'untouched')
    await using backup = await snapshotOf(sample)
    symlinkSync(join(outside.path, 'victim'), join(dir.path, 'three'))
    await restore({ ...backup, target: dir.path, overwrite: true })
    expect(readFileSync(join(outside.path, 'victim'), 'utf8')).toBe('untouched')
    expect(readFileSync(join(dir.path, 'three'), 'utf8')).toBe('third')
  })

  test.each(['../evil', '..', '.', 'a/b', '/abs'])('an entry named %j is refused before anything is written', async (name) => {
    using dir = folder()
    await using repository = await createRepository(createMemoryBackend(), 'password', { kdf })
    // No writer of ours makes such a tree: its name is put in afterwards.
    const honest = Buffer.from(encodeTree([{ ...plain('file', 0o100_644), name: Buffer.from('PLACEHOLDER'), content: [] }]))
    const forged = Buffer.from(honest.toString().replace('PLACEHOLDER', name))
    await using writer = await repository.createWriter({ workers: 1 })
    const { id: tree } = await writer.saveTree(forged)
    await writer.flush()
    const snapshot = await repository.saveSnapshot({ time: formatTime(when), tree, paths: ['/'] })
    const target = join(dir.path, 'inner/target')
    await expect(restore({ repository, snapshot, target })).rejects.toMatchObject({ code: 'target-unsafe' })
    expect(names(dir.path)).toEqual([])
  })

  test('a pack with one flipped bit is refused, pack and file are named, and the target is left as it was', async () => {
    using dir = folder()
    const script: FaultRule[] = []
    await using backup = await snapshotOf(sample, { script })
    const index = await backup.repository.loadIndex()
    const pack = [...index.entries()].find(({ type }) => type === 'data')?.pack ?? ''
    // Within the first blob, behind its nonce.
    script.push({ on: 'get', kind: 'data', name: pack, times: 1000, fault: { type: 'flip-bit', bit: 8 * 17 } })
    await expect(restore({ ...backup, target: dir.path })).rejects.toMatchObject({
      code: 'pack-damaged',
      message: expect.stringContaining(pack.slice(0, 8)) as string,
      details: { pack, file: expect.stringContaining(dir.path) as string },
    })
    expect(names(dir.path)).toEqual([])
  })

  test('with skipDamaged everything else is restored, and what is missing is named', async () => {
    using dir = folder()
    const script: FaultRule[] = []
    await using backup = await snapshotOf(sample, { script })
    const index = await backup.repository.loadIndex()
    const first = [...index.entries()].find(({ type, offset }) => type === 'data' && offset === 0)
    script.push({ on: 'get', kind: 'data', name: first?.pack ?? '', times: 1000, fault: { type: 'flip-bit', bit: 8 * 17 } })
    const summary = await restore({ ...backup, target: dir.path, skipDamaged: true })
    expect(summary.skipped).toHaveLength(1)
    expect(summary.files).toBe(3)
    const [lost] = summary.skipped
    expect(names(dir.path)).toHaveLength(5)
    expect(existsSync(lost?.path ?? '')).toBe(false)
  })

  test('an abort ends the restore with its reason, and the target is as it was', async () => {
    using dir = folder()
    const controller = new AbortController()
    await using backup = await snapshotOf(
      Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`file ${at}`, `content ${at}`])),
    )
    const reason = new Error('stop')
    const onProgress = () => controller.abort(reason)
    const job = { ...backup, target: dir.path, noLock: true, threads }
    await expect(restoreSnapshot(job, onProgress, controller.signal)).rejects.toBe(reason)
    expect(names(dir.path)).toEqual([])
  })
})
