import { expect, test } from 'vitest'
import { HoldfastError, isHoldfastError } from '../kernel/index.ts'
import { createRepository, encodeTree, openRepository, type Repository } from '../repository/index.ts'
import { createMemoryBackend, faulty, type Backend, type FaultRule } from '../storage/index.ts'
import { backup } from './backup.ts'
import { checkRepository } from './check.ts'
import type { ArchivedTree, Source } from './source.ts'

const { signal } = new AbortController()
const kdf = { N: 32768, r: 8, p: 1 }
const stats = {
  filesNew: 1,
  filesChanged: 0,
  filesUnmodified: 0,
  dirsNew: 0,
  dirsChanged: 0,
  dirsUnmodified: 0,
  totalFilesProcessed: 1,
  totalBytesProcessed: 0,
}

/** The tree of textSource. */
const treeBytes = encodeTree([{ name: Buffer.from('file'), ...fileNode(3n), content: ['0'.repeat(64)] }]).length

function fileNode(size: bigint) {
  return { type: 'file', mode: 0o644, mtime: 1n, atime: 1n, ctime: 1n, uid: 1, gid: 1, size } as const
}

/** A source of one file with this text; `result` adds to what its archive says. */
function textSource(text: string, result: Partial<ArchivedTree> = {}): Source {
  return {
    kind: 'files',
    describe: () => ({ paths: ['/srv'], tags: ['source-tag'] }),
    async archive({ writer }) {
      const { content, sizeBytes } = await writer.saveStream(pieces(text))
      const node = {
        type: 'file',
        mode: 0o644,
        mtime: 1n,
        atime: 1n,
        ctime: 1n,
        uid: 1,
        gid: 1,
        size: BigInt(sizeBytes),
      } as const
      const { id } = await writer.saveTree(encodeTree([{ ...node, name: Buffer.from('file'), content }]))
      return { tree: id, stats, skipped: [], ...result }
    },
  }
}

async function* pieces(text: string) {
  yield Buffer.from(text)
}

const run = (repository: Repository, source: Source) => backup({ repository, source, writer: { workers: 1 } }, () => {}, signal)

/** The errors that a check of what is stored finds. */
async function errorsIn(repository: Repository) {
  const { findings } = await checkRepository({ repository, readData: true }, () => {}, signal)
  // A repository whose first backup died has no snapshot to check; nothing is wrong with it.
  return findings.filter(({ severity, code }) => severity === 'error' && code !== 'nothing-checked')
}

test('a backup leaves a snapshot with its paths, tags, parent and restic’s summary', async () => {
  await using backend = createMemoryBackend()
  const repository = await createRepository(backend, 'password', { kdf })
  const first = await run(repository, textSource('one'))
  const second = await backup(
    { repository, source: textSource('two', { facts: { lsn: '0/1' } }), tags: ['mine'], host: 'box', writer: { workers: 1 } },
    () => {},
    signal,
  )
  expect(second).toMatchObject({
    filesNew: 1,
    dataBlobs: 1,
    treeBlobs: 1,
    addedBytes: 3 + treeBytes,
    skipped: [],
    lostPacks: [],
    facts: { lsn: '0/1' },
  })
  const [stored, again] = await repository.snapshots()
  expect(stored).toMatchObject({ id: first.snapshot, paths: ['/srv'], tags: ['source-tag'] })
  expect(stored?.summary).toMatchObject({ files_new: 1, data_blobs: 1, tree_blobs: 1, total_files_processed: 1 })
  // Another host's snapshot is no parent.
  expect(again).toMatchObject({ hostname: 'box', tags: ['source-tag', 'mine'] })
  expect(again?.parent).toBeUndefined()
  expect(await run(repository, textSource('three'))).toMatchObject({ parent: first.snapshot })
})

test('a snapshot dated in the future is never the parent', async () => {
  await using backend = createMemoryBackend()
  const repository = await createRepository(backend, 'password', { kdf })
  const { snapshot: past } = await run(repository, textSource('one'))
  const [stored] = await repository.snapshots()
  if (stored === undefined) throw new Error('nothing was stored')
  const { id: _, raw: __, timeMs: ___, ...record } = stored
  await repository.saveSnapshot({ ...record, time: '2099-01-01T00:00:00Z' })
  expect(await run(repository, textSource('two'))).toMatchObject({ parent: past })
})

test('packs come first, then the index, then the snapshot; the lock goes last', async () => {
  await using memory = createMemoryBackend()
  const order: string[] = []
  const backend: Backend = {
    ...memory,
    put: async (kind, ...rest) => {
      await memory.put(kind, ...rest)
      order.push(kind)
    },
    delete: async (kind, ...rest) => {
      await memory.delete(kind, ...rest)
      order.push(`-${kind}`)
    },
  }
  const repository = await createRepository(backend, 'password', { kdf })
  order.length = 0
  await run(repository, textSource('one'))
  expect(order).toEqual(['locks', 'data', 'data', 'index', 'snapshots', '-locks'])
})

test('a dry run counts as the real one does, and stores nothing', async () => {
  await using backend = createMemoryBackend()
  const repository = await createRepository(backend, 'password', { kdf })
  const dry = await backup({ repository, source: textSource('one'), dryRun: true }, () => {}, signal)
  expect(await repository.snapshots()).toEqual([])
  for (const kind of ['data', 'index'] as const) expect(await Array.fromAsync(backend.list(kind))).toEqual([])
  const { dataBlobs, treeBlobs, addedBytes, addedStoredBytes } = dry
  expect(dry.snapshot).toBeUndefined()
  expect(await run(repository, textSource('one'))).toMatchObject({ dataBlobs, treeBlobs, addedBytes, addedStoredBytes })
})

// All that a small backup puts: lock, pack of content, pack of trees, index, snapshot.
const instants = (['before', 'after'] as const).flatMap((at) =>
  (['locks', 'data', 'index', 'snapshots'] as const).flatMap((kind) =>
    (kind === 'data' ? [1, 2] : [1]).map((nth) => ({ at, kind, nth })),
  ),
)

test.concurrent.each(instants)(
  'storage that dies $at put $nth of $kind leaves nothing wrong, and the next backup succeeds',
  async ({ at, kind, nth }) => {
    await using memory = createMemoryBackend()
    const repository = await createRepository(memory, 'password', { kdf })
    await run(repository, textSource('one'))
    const script: FaultRule[] = [{ on: 'put', kind, nth, fault: { type: 'crash', at } }]
    const dying = await openRepository(faulty(memory, script), 'password')
    await expect(run(dying, textSource('two'))).rejects.toMatchObject({ code: 'storage-failed' })
    expect(await errorsIn(repository)).toEqual([])
    const next = await run(await openRepository(memory, 'password'), textSource('two'))
    expect(next.snapshot).toBeDefined()
    expect(await errorsIn(repository)).toEqual([])
  },
)

test('a full disk ends the backup with its own error, and nothing names what was not stored', async () => {
  await using memory = createMemoryBackend()
  const repository = await createRepository(memory, 'password', { kdf })
  const full = new HoldfastError('disk-full', { message: 'no space left' })
  const script: FaultRule[] = [{ on: 'put', kind: 'data', nth: 2, times: 100, fault: { type: 'error', error: full } }]
  const small = await openRepository(faulty(memory, script), 'password')
  const error: unknown = await run(small, textSource('one')).catch((error: unknown) => error)
  expect(isHoldfastError(error, 'disk-full')).toBe(true)
  expect(await Array.fromAsync(memory.list('locks'))).toEqual([])
  expect(await errorsIn(repository)).toEqual([])
  await run(repository, textSource('one'))
  expect(await errorsIn(repository)).toEqual([])
})

test('a lost lock ends the backup', async () => {
  await using backend = createMemoryBackend()
  const repository = await createRepository(backend, 'password', { kdf })
  const source = textSource('one')
  const lost = new HoldfastError('lock-lost', { message: 'the lock is gone' })
  const controller = new AbortController()
  const losing: Source = {
    ...source,
    archive: (context, signal) => {
      controller.abort(lost)
      return source.archive(context, signal)
    },
  }
  const losingRepository: Repository = Object.create(repository, {
    lock: { value: async () => ({ signal: controller.signal, confirm: async () => {}, [Symbol.asyncDispose]: async () => {} }) },
    refreshIndex: { value: (signal?: AbortSignal) => repository.refreshIndex(signal) },
    snapshots: { value: async () => [] },
    setAsideLostPacks: { value: async () => [] },
    createWriter: { value: () => repository.createWriter({ workers: 1 }) },
  }) as Repository
  await expect(run(losingRepository, losing)).rejects.toBe(lost)
  expect(await repository.snapshots()).toEqual([])
})

test('a snapshot that cannot be read is no parent, and does not keep the next backup from being made', async () => {
  await using backend = createMemoryBackend()
  const repository = await createRepository(backend, 'password', { kdf })
  const first = await run(repository, textSource('one'))
  await backend.delete('snapshots', first.snapshot ?? '')
  await backend.put('snapshots', first.snapshot ?? '', Buffer.from('rotten'))
  const second = await run(repository, textSource('two'))
  expect(second).toMatchObject({ snapshot: expect.any(String) as string })
  expect(second.parent).toBeUndefined()
})

test('what an unreadable index named is named by the index of the next backup, for those who read indexes alone', async () => {
  await using backend = createMemoryBackend()
  const repository = await createRepository(backend, 'password', { kdf })
  await run(repository, textSource('one'))
  for (const { name } of await Array.fromAsync(backend.list('index'))) {
    await backend.delete('index', name)
    await backend.put('index', name, new Uint8Array(0))
    await run(await openRepository(backend, 'password'), textSource('one'))
    await backend.delete('index', name)
  }
  expect(await errorsIn(await openRepository(backend, 'password'))).toEqual([])
})

test('a backup whose lock was removed writes no snapshot: what it counts on may have been deleted', async () => {
  await using backend = createMemoryBackend()
  const repository = await createRepository(backend, 'password', { kdf })
  const source = textSource('one')
  const robbed: Source = {
    ...source,
    async archive(context, signal) {
      for (const { name } of await Array.fromAsync(backend.list('locks'))) await backend.delete('locks', name)
      return source.archive(context, signal)
    },
  }
  await expect(run(repository, robbed)).rejects.toMatchObject({ code: 'lock-lost' })
  expect(await repository.snapshots()).toEqual([])
})
