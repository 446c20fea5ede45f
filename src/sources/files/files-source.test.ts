import { renameSync, mkdirSync, mkdtempDisposableSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { backup, type ArchiveProgress } from '../../backup/index.ts'
import { createRepository, type Repository } from '../../repository/index.ts'
import { createMemoryBackend } from '../../storage/index.ts'
import { createFilesSource, type FilesSourceOptions } from './files-source.ts'

const { signal } = new AbortController()
const folder = () => mkdtempDisposableSync(join(tmpdir(), 'holdfast-files-'))

// Each test backs up a folder of its own, which no other snapshot can be the parent of.
let repository: Repository
beforeAll(async () => {
  repository = await createRepository(createMemoryBackend(), 'password', { kdf: { N: 32768, r: 8, p: 1 } })
})

function backUp(
  path: string,
  options: Partial<FilesSourceOptions> = {},
  onProgress: (event: ArchiveProgress) => void = () => {},
) {
  const source = createFilesSource({ paths: [path], ...options })
  return backup({ repository, source, writer: { workers: 1 } }, onProgress, signal)
}

/** The names in a snapshot's innermost common directory. */
async function namesIn(snapshot = '', path: string): Promise<string[]> {
  let { tree } = await repository.findSnapshot(snapshot)
  for (const name of path.split('/').slice(1)) {
    const node = (await repository.readTree(tree)).find((node) => Buffer.from(node.name).toString() === name)
    tree = node?.subtree ?? ''
  }
  return (await repository.readTree(tree)).map(({ name }) => Buffer.from(name).toString())
}

test('a second backup of the same files reads none of them', async () => {
  using dir = folder()
  for (let file = 0; file < 20; file++) writeFileSync(join(dir.path, `file ${file}`), `content ${file}`)
  const first = await backUp(dir.path)
  expect(first).toMatchObject({ filesNew: 20, filesUnmodified: 0, bytesRead: 190 })
  const second = await backUp(dir.path)
  expect(second).toMatchObject({ filesNew: 0, filesChanged: 0, filesUnmodified: 20, bytesRead: 0, dataBlobs: 0 })
  expect(second).toMatchObject({ parent: first.snapshot, totalFilesProcessed: 20, totalBytesProcessed: 190 })
})

test('a file is read again when its size, its times or its inode changed, and only then', async () => {
  using dir = folder()
  const at = (name: string) => join(dir.path, name)
  for (const name of ['size', 'mtime', 'inode', 'same']) writeFileSync(at(name), '12345678')
  await backUp(dir.path)
  writeFileSync(at('size'), '123456789')
  utimesSync(at('mtime'), 1, 1)
  writeFileSync(at('new'), '12345678')
  renameSync(at('new'), at('inode'))
  expect(await backUp(dir.path)).toMatchObject({ filesChanged: 3, filesUnmodified: 1, filesNew: 0, bytesRead: 9 + 8 + 8 })
})

test('a file that is too large is left out although it is named, whether or not the parent has it', async () => {
  using dir = folder()
  const [large, little] = [join(dir.path, 'large'), join(dir.path, 'little')]
  writeFileSync(large, 'x'.repeat(2000))
  writeFileSync(little, 'x')
  const paths = [large, little]
  for (const [largerThan, names] of [
    [1000, ['little']],
    [2000, ['large', 'little']],
    [1000, ['little']],
  ] as const) {
    const { snapshot, skipped } = await backUp(dir.path, { paths, largerThan })
    expect(await namesIn(snapshot, dir.path)).toEqual(names)
    expect(skipped).toEqual([])
  }
})

test('what cannot be read is left out and named, and the rest is saved', async ({ skip }) => {
  skip(process.platform !== 'linux', 'it needs a file that even root cannot read')
  using dir = folder()
  writeFileSync(join(dir.path, 'file'), 'readable')
  // A regular file whose first page is never mapped.
  const unreadable = `/proc/${process.pid}/mem`
  const summary = await backUp(dir.path, { paths: [dir.path, unreadable] })
  expect(summary.skipped).toEqual([{ path: unreadable, reason: expect.stringContaining('EIO') as string }])
  expect(await namesIn(summary.snapshot, dir.path)).toEqual(['file'])
})

test('a target that is missing is named; when all are, it is an error', async () => {
  using dir = folder()
  const missing = join(dir.path, 'missing')
  const summary = await backUp(dir.path, { paths: [dir.path, '/nonexistent-for-holdfast'] })
  expect(summary.skipped).toEqual([{ path: '/nonexistent-for-holdfast', reason: expect.stringContaining('ENOENT') as string }])
  await expect(backUp(missing)).rejects.toMatchObject({ code: 'not-found' })
  expect(() => createFilesSource({ paths: [] })).toThrow(expect.objectContaining({ code: 'usage' }))
})

test('a link is kept as a link, not followed', async () => {
  using dir = folder()
  using outside = folder()
  writeFileSync(join(outside.path, 'file'), 'not to be saved')
  symlinkSync(outside.path, join(dir.path, 'link'))
  expect(await backUp(dir.path)).toMatchObject({ filesNew: 0, bytesRead: 0 })
})

test('excluded directories are not entered', async () => {
  using dir = folder()
  mkdirSync(join(dir.path, 'node_modules/deep'), { recursive: true })
  writeFileSync(join(dir.path, 'node_modules/deep/file'), 'x')
  writeFileSync(join(dir.path, 'keep'), 'y')
  const { snapshot, filesNew } = await backUp(dir.path, { excludes: ['node_modules'] })
  expect(filesNew).toBe(1)
  expect(await namesIn(snapshot, dir.path)).toEqual(['keep'])
  expect(await repository.findSnapshot(snapshot ?? '')).toMatchObject({ excludes: ['node_modules'] })
})

test('progress ends with everything done, and names totals', async () => {
  using dir = folder()
  for (let file = 0; file < 5; file++) writeFileSync(join(dir.path, `file ${file}`), 'x'.repeat(1000))
  const events: ArchiveProgress[] = []
  await backUp(dir.path, {}, (event) => events.push(event))
  expect(events.at(-1)).toMatchObject({ type: 'backup', filesDone: 5, bytesDone: 5000, filesTotal: 5, bytesTotal: 5000 })
})

test('a file that vanishes during the backup is left out, and nothing else is lost', async () => {
  using dir = folder()
  for (let file = 0; file < 200; file++) writeFileSync(join(dir.path, `file ${file}`), 'x'.repeat(100))
  const source = createFilesSource({ paths: [dir.path] })
  const vanishing: typeof source = {
    ...source,
    archive: (context, signal) => {
      const archived = source.archive(context, signal)
      // The walk has its names by now, or will miss it; either way the backup must end well.
      for (let file = 0; file < 200; file += 2) rmSync(join(dir.path, `file ${file}`))
      return archived
    },
  }
  const summary = await backup({ repository, source: vanishing }, () => {}, signal)
  expect(summary.filesNew).toBe(100)
  expect(summary.skipped).toEqual([])
})
