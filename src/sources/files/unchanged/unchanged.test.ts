import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { loadPosix } from '../../../backup/index.ts'
import {
  createRepository,
  formatTime,
  type BlobWriter,
  type Repository,
  type Snapshot,
  type SnapshotRecord,
} from '../../../repository/index.ts'
import { createMemoryBackend } from '../../../storage/index.ts'
import { createFilesSource, type FilesSourceOptions } from '../files-source.ts'

const { signal } = new AbortController()
const folder = () => mkdtempDisposableSync(join(tmpdir(), 'holdfast-unchanged-'))

let repository: Repository
let writer: BlobWriter
beforeAll(async () => {
  repository = await createRepository(createMemoryBackend(), 'password', { kdf: { N: 2, r: 8, p: 1 } })
  writer = await repository.createWriter({ workers: 1 })
})
afterAll(() => writer[Symbol.asyncDispose]())

/** As a backup does it, and with the snapshot that it would write as the parent of the next. */
async function archive(path: string, parent?: Snapshot, options: Partial<FilesSourceOptions> = {}) {
  const source = createFilesSource({ paths: [basename(path)], workingDirectory: dirname(path), ...options })
  const begun = formatTime(BigInt(Date.now()) * 1_000_000n)
  const archived = await source.archive({ writer, repository, progress: () => {}, ...(parent && { parent }) }, signal)
  await writer.flush(signal)
  const { tree, stats } = archived
  const record = { time: begun, tree, paths: [path], hostname: 'h', tags: [], summary: { backup_start: begun } }
  return { ...stats, tree, snapshot: await repository.saveSnapshot(record as unknown as SnapshotRecord, signal) }
}

const names = ['a', 'b', 'c & d', 'ä', 'quote"', 'z'].map((name) => Buffer.from(name)).concat(Buffer.from([0x66, 0xff]))
const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
const kinds = [
  'write',
  'append',
  'touch',
  'chmod',
  'move',
  'remove',
  'folder',
  'symlink',
  'hardlink',
  'attribute',
  'nothing',
] as const
const change = fc.record({ kind: fc.constantFrom(...kinds), path, other: path, number: fc.nat(0o777) })
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never

const joined = (root: string, path: readonly Buffer[]) =>
  Buffer.concat([Buffer.from(root), ...path.flatMap((name) => [Buffer.from('/'), name])])

/** What cannot be done there is not: the tree is random. */
function apply(root: string, { kind, path, other, number }: Change): void {
  const [at, to] = [joined(root, path), joined(root, other)]
  const posix = loadPosix()
  const act: Record<Change['kind'], () => void> = {
    write: () => writeFileSync(at, `content ${number}`),
    append: () => appendFileSync(at, '.'),
    touch: () => utimesSync(at, number, number),
    chmod: () => chmodSync(at, number | 0o700),
    move: () => renameSync(at, to),
    remove: () => rmSync(at, { recursive: true }),
    folder: () => mkdirSync(at, { recursive: true }),
    symlink: () => symlinkSync(to, at),
    hardlink: () => linkSync(at, to),
    attribute: () => posix?.setAttribute(at, Buffer.from('user.test'), Buffer.from(String(number))),
    nothing: () => {},
  }
  try {
    act[kind]()
  } catch {
    // Nothing is there, or something else is.
  }
}

test(
  'whatever changes, a backup with a parent makes the tree that one without a parent makes',
  { timeout: 300_000 },
  async () => {
    const changes = (maxLength: number) => fc.array(change, { minLength: 1, maxLength })
    await fc.assert(
      fc.asyncProperty(changes(60), fc.array(changes(3), { minLength: 1, maxLength: 4 }), async (first, more) => {
        using dir = folder()
        for (const one of first) apply(dir.path, one)
        let { snapshot } = await archive(dir.path)
        for (const next of more) {
          for (const one of next) apply(dir.path, one)
          const after = await archive(dir.path, snapshot)
          const anew = await archive(dir.path)
          expect(after.tree).toBe(anew.tree)
          expect(after.totalFilesProcessed).toBe(anew.totalFilesProcessed)
          expect(after.totalBytesProcessed).toBe(anew.totalBytesProcessed)
          expect(after.filesNew + after.filesChanged + after.filesUnmodified).toBe(after.totalFilesProcessed)
          snapshot = after.snapshot
        }
      }),
      { numRuns: 60 },
    )
  },
)

/** Three folders with three files each, one of them in another. */
function makeTree(root: string): void {
  for (const name of ['one', 'two', 'two/three']) {
    mkdirSync(join(root, name))
    for (let file = 0; file < 3; file++) writeFileSync(join(root, name, `file ${file} & more`), `${name} ${file}`)
  }
}

test('trees of folders that did not change are neither taken apart nor put together again', async () => {
  using dir = folder()
  makeTree(dir.path)
  const first = await archive(dir.path)
  using openTree = vi.spyOn(repository, 'openTree')
  const second = await archive(dir.path, first.snapshot)
  expect(second).toMatchObject({ tree: first.tree, filesUnmodified: 9, dirsUnmodified: 4 })
  // That above the targets: to find them in the parent, and to write it.
  expect(openTree).toHaveBeenCalledTimes(2)

  appendFileSync(join(dir.path, 'two/three/file 1 & more'), '.')
  openTree.mockClear()
  const third = await archive(dir.path, second.snapshot)
  expect(third).toMatchObject({ filesUnmodified: 8, filesChanged: 1, dirsUnmodified: 1 })
  // And the way down to the change, but not its neighbour.
  expect(openTree).toHaveBeenCalledTimes(5)
})

test('what is left out now that was not before is a change, and so is the reverse', async () => {
  using dir = folder()
  makeTree(dir.path)
  const whole = await archive(dir.path)
  const excludes = { excludes: ['file 1 *'] }
  const less = await archive(dir.path, whole.snapshot, excludes)
  expect(less).toMatchObject({ totalFilesProcessed: 6, filesUnmodified: 6 })
  expect(await archive(dir.path, less.snapshot, excludes)).toMatchObject({ tree: less.tree, filesUnmodified: 6 })
  expect(await archive(dir.path, less.snapshot)).toMatchObject({ tree: whole.tree, filesNew: 3 })
  writeFileSync(join(dir.path, 'two', '.nobackup'), '')
  const markers = { markers: [{ name: '.nobackup' }] }
  const marked = await archive(dir.path, whole.snapshot, markers)
  expect(marked).toMatchObject({ totalFilesProcessed: 4 })
  expect(await archive(dir.path, marked.snapshot, markers)).toMatchObject({ tree: marked.tree, filesUnmodified: 4 })
})

test('an attribute that is set later is found, also where the ctime is trusted', { timeout: 60_000 }, async ({ skip }) => {
  const posix = loadPosix()
  if (posix === undefined) skip('extended attributes cannot be set here')
  using dir = folder()
  makeTree(dir.path)
  const newest = () => Math.max(...readdirSync(dir.path).map((name) => lstatSync(join(dir.path, name)).ctimeMs))
  await vi.waitUntil(() => Date.now() - newest() > 2500, { timeout: 30_000 })
  const before = await archive(dir.path)
  expect((await archive(dir.path, before.snapshot)).tree).toBe(before.tree)
  posix?.setAttribute(Buffer.from(join(dir.path, 'one/file 0 & more')), Buffer.from('user.test'), Buffer.from('x'))
  const after = await archive(dir.path, before.snapshot)
  expect(after).toMatchObject({ filesChanged: 1, filesUnmodified: 8 })
  expect(after.tree).toBe((await archive(dir.path)).tree)
})
